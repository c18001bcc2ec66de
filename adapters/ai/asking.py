"""Asks until there is an answer that can be read, once more about what was refused of it, and adds up what it took."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from adapters.ai.again import INSTRUCTIONS, Refusal, material_again, replaced
from adapters.ai.answers import comments_of
from adapters.ai.faults import AskingFailed, ModelRefused
from adapters.ai.prompting import FileToDocument, instructions, material
from hivesync_core.reviews.events import Usage
from hivesync_core.settings.decider import AiSettings

if TYPE_CHECKING:
    from adapters.ai.provider import Provider

BACKOFF_S: Final = 1.0
"""The pause after the first try; it doubles each time, and a part of it is chance."""

BACKOFF_S_MAX: Final = 30.0

Tell = Callable[[str, int, int], None]
"""Told of stage, tries and characters that have come."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The comments as the model gave them, and what it took."""

    comments: list[object]
    usage: Usage


class Unanswered(Exception):
    """There is no answer; ``code`` and the message say why, ``usage`` what it took. A model may have ``refused``."""

    def __init__(self, cause: AskingFailed | ModelRefused, usage: Usage) -> None:
        super().__init__(str(cause))
        self.code, self.usage = cause.code, usage
        self.refused = isinstance(cause, ModelRefused)


async def ask_for_comments(
    provider: Provider,
    settings: AiSettings,
    template: str,
    file: FileToDocument,
    *,
    tell: Tell = lambda *_: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Asked:
    """Ask up to ``settings.tries_max`` times; raises ``Unanswered``."""
    began = time.monotonic()
    told, shown = instructions(template, file), material(file)
    tokens = [0, 0]

    def usage(tries: int) -> Usage:
        return Usage(
            tries=tries,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cost_micros=cost_micros(settings, tokens[0], tokens[1]),
            duration_ms=int((time.monotonic() - began) * 1000),
        )

    for tries in range(1, settings.tries_max + 1):
        tell("asking", tries, 0)
        try:
            answer = await provider.ask(told, shown, partial(tell, "answering", tries))
            tokens[0] += answer.input_tokens
            tokens[1] += answer.output_tokens
            return Asked(comments=comments_of(answer.text), usage=usage(tries))
        except ModelRefused as refusal:
            raise Unanswered(refusal, usage(tries)) from None
        except AskingFailed as failure:
            if not failure.is_passing or tries == settings.tries_max:
                raise Unanswered(failure, usage(tries)) from None
            tell("waiting", tries, 0)
            await sleep(_pause_s(tries, failure.retry_after_s))
    raise AssertionError("the last try either answers or raises")


async def ask_again(
    provider: Provider,
    settings: AiSettings,
    template: str,
    file: FileToDocument,
    before: Asked,
    refusals: Sequence[Refusal],
    *,
    tell: Tell = lambda *_: None,
) -> Asked:
    """Ask once for other comments instead of the refused ones. Whatever goes wrong leaves those that there are.

    It is one of the ``settings.tries_max`` requests: with none of them left, nobody is asked.
    """
    tries = before.usage.tries + 1
    if tries > settings.tries_max or not refusals:
        return before
    began = time.monotonic()
    told, shown = instructions(template, file) + INSTRUCTIONS, material_again(file, refusals)
    input_tokens, output_tokens = before.usage.input_tokens, before.usage.output_tokens
    comments = before.comments
    tell("asking", tries, 0)
    try:
        answer = await provider.ask(told, shown, partial(tell, "answering", tries))
        input_tokens += answer.input_tokens
        output_tokens += answer.output_tokens
        comments = replaced(before.comments, refusals, comments_of(answer.text))
    except (AskingFailed, ModelRefused):
        pass
    usage = Usage(
        tries=tries,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_micros=cost_micros(settings, input_tokens, output_tokens),
        duration_ms=before.usage.duration_ms + int((time.monotonic() - began) * 1000),
    )
    return Asked(comments=comments, usage=usage)


def _pause_s(tries: int, wanted_s: float | None) -> float:
    """The provider's wish, or a pause that doubles, so that many who wait do not come back at once."""
    if wanted_s is not None:
        return wanted_s
    return min(BACKOFF_S_MAX, BACKOFF_S * 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0)


def cost_micros(settings: AiSettings, input_tokens: int, output_tokens: int) -> int | None:
    """Millionths of a US dollar, none where the price is not known."""
    if settings.input_price_micros is None or settings.output_price_micros is None:
        return None
    spent = input_tokens * settings.input_price_micros + output_tokens * settings.output_price_micros
    return -(-spent // 1_000_000)
