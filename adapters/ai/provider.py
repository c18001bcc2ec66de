"""One question to a server that speaks OpenAI's protocol, and every way in which the answer can be none."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2
import msgspec
import openai
from openai import AsyncOpenAI

from adapters.ai import faults
from adapters.ai.answers import SCHEMA
from adapters.ai.endpoint import Endpoint
from adapters.ai.transport import PackedAnswer, TooManyBytes, new_client

ANSWER_CHARS_MAX: Final = 1_000_000
RETRY_AFTER_S_MAX: Final = 60.0
"""The longest that a provider's wish to be asked later is waited for."""

_DUMMY_KEY: Final = "none"
"""What servers that want no key are sent: the client must send something."""

_PACKED: Final = "The provider compresses its answer, which was not asked for."

for _name in ("openai", "httpx2", "httpcore2", "httpcore"):
    # At a finer level these write requests and answers into the log: whole files, and what a model said.
    logging.getLogger(_name).setLevel(logging.WARNING)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said, whole; tokens as the provider counts them."""

    text: str
    input_tokens: int
    output_tokens: int


class Provider:
    """Asks one endpoint; connections are kept until ``close``."""

    def __init__(self, endpoint: Endpoint) -> None:
        if not endpoint.api_key and endpoint.base_url is None:
            raise faults.NoKey("No key of the AI provider is set: set OPENAI_API_KEY.")
        self._endpoint = endpoint
        self._client = AsyncOpenAI(
            api_key=endpoint.api_key or _DUMMY_KEY,
            base_url=endpoint.base_url or "https://api.openai.com/v1",
            timeout=endpoint.timeout_s,
            max_retries=0,
            http_client=new_client(endpoint.timeout_s),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def ask(self, instructions: str, material: str, heard: Callable[[int], None] = lambda _: None) -> Answer:
        """Ask once; ``heard`` is told the characters that have come so far.

        Raises ``ModelRefused`` or a kind of ``AskingFailed``.
        """
        async with _faults_told(), asyncio.timeout(self._endpoint.timeout_s):
            create: Any = self._client.chat.completions.create
            stream = await create(
                model=self._endpoint.model,
                messages=[{"role": "system", "content": instructions}, {"role": "user", "content": material}],
                response_format={"type": "json_schema", "json_schema": SCHEMA},
                max_completion_tokens=self._endpoint.answer_tokens_max,
                stream=True,
                stream_options={"include_usage": True},
            )
            async with stream:
                _refuse_page(stream.response.headers.get("content-type", ""))
                return await _collected(stream, heard)


def _refuse_page(media_type: str) -> None:
    """Some addresses answer 200 whatever they are asked: with a page to sign in at, or an error of their own."""
    for kind, said in (("text/html", "a web page"), ("application/json", "one JSON text")):
        if media_type.startswith(kind):
            raise faults.AnswerMalformed(f"The provider answered with {said} instead of a stream: look at base_url.")


async def _collected(stream: Any, heard: Callable[[int], None]) -> Answer:
    """The whole answer; one that does not say how it finished was cut."""
    parts: list[str] = []
    chars = 0
    finished: str | None = None
    refused = False
    tokens = (0, 0)
    async for chunk in stream:
        if chunk.usage is not None:
            tokens = (_count(chunk.usage.prompt_tokens), _count(chunk.usage.completion_tokens))
        for choice in (chunk.choices or ())[:1]:
            refused = refused or bool(getattr(choice.delta, "refusal", None))
            text = getattr(choice.delta, "content", None)
            if isinstance(text, str) and text:
                parts.append(text)
                chars += len(text)
                if chars > ANSWER_CHARS_MAX:
                    raise TooManyBytes
                heard(chars)
            finished = choice.finish_reason or finished
    if refused or finished == "content_filter":
        raise faults.ModelRefused("The model refused to describe this file.")
    if finished == "length":
        raise faults.AnswerTooLong("The answer is longer than the settings allow: raise answer_tokens_max.")
    if finished not in (None, "stop"):
        raise faults.AnswerMalformed("The model ended its answer in another way than with text.")
    if finished is None:
        raise faults.AnswerCut("The answer broke off before it was whole.")
    return Answer(text="".join(parts), input_tokens=tokens[0], output_tokens=tokens[1])


def _count(value: object) -> int:
    """A count as a server gives it; what is no count is none."""
    return value if type(value) is int and 0 <= value < 2**31 else 0


@asynccontextmanager
async def _faults_told() -> AsyncIterator[None]:
    """Turn whatever the client raises into a fault of ours. Theirs quote what was sent or came, so none is passed on."""
    fault: Exception
    try:
        yield
        return
    except (faults.AskingFailed, faults.ModelRefused):
        raise
    except openai.APIStatusError as error:
        fault = _of_status(error.status_code, error.response.headers.get("retry-after"))
    except (openai.APITimeoutError, TimeoutError, httpx2.TimeoutException):
        fault = faults.ProviderSilent("The provider did not answer in time.")
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        fault = _of_connection(error)
    except TooManyBytes:
        fault = faults.AnswerTooLarge("The answer is larger than any list of comments.")
    except PackedAnswer:
        fault = faults.AnswerMalformed(_PACKED)
    except openai.APIError:
        fault = faults.ProviderBroken("The provider broke off with an error.")
    except (json.JSONDecodeError, UnicodeDecodeError, openai.OpenAIError, RuntimeError, ValueError, TypeError):
        fault = faults.AnswerMalformed("The provider's answer does not follow the protocol.")
    except AttributeError:
        fault = faults.AnswerMalformed("The provider's answer does not follow the protocol.")
    raise fault from None


def _of_connection(error: Exception) -> faults.AskingFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TooManyBytes):
            return faults.AnswerTooLarge("The answer is larger than any list of comments.")
        if isinstance(cause, PackedAnswer):
            return faults.AnswerMalformed(_PACKED)
        if isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError):
            return faults.AnswerCut("The connection broke before the answer was whole.")
        cause = cause.__cause__
    return faults.ProviderUnreachable("The provider cannot be reached: look at base_url and the network.")


def _of_status(status: int, retry_after: str | None) -> faults.AskingFailed:
    if status == 429:
        return faults.ProviderBusy("The provider has too many requests (429).", _seconds(retry_after))
    if status in (408, 409) or status >= 500:
        fault = faults.ProviderBroken(f"The provider answered {status}.")
        fault.retry_after_s = _seconds(retry_after)
        return fault
    hint = {401: "its key is wrong", 403: "its key may not do that", 404: "it does not know the model or the address"}
    said = hint.get(status, "it does not take the request")
    return faults.ProviderRefusesUs(f"The provider answered {status}: {said}.")


def _seconds(text: str | None) -> float | None:
    """The seconds of a Retry-After, within bounds; a date is not waited for."""
    try:
        seconds = float(text) if text is not None else None
    except ValueError:
        return None
    return None if seconds is None or not 0 <= seconds < 1e9 else min(seconds, RETRY_AFTER_S_MAX)
