"""Tries templates on a file without keeping anything: the playground, and a draft held against what people decided (AI-6)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.ai.asking import Unanswered, ask_for_comments
from adapters.ai.endpoint import Endpoint, open_provider
from adapters.ai.faults import AskingFailed
from adapters.ai.prompting import FileToDocument
from adapters.safety.checker import SafetyChecker, SafetyError
from hivesync_core.comments import FileRefused, Report
from hivesync_core.reviews.events import Usage
from hivesync_core.settings.decider import AiSettings

TRIAL_WAIT_S_MAX: Final = 300
"""The longest that somebody waits at the playground, whatever the settings give a job."""

NEAR_LINES: Final = 2
"""So many lines apart two comments of the same kind are about the same thing."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one template led to; without a report, ``code`` and ``message`` say why."""

    report: Report | None
    comments: list[object]
    usage: Usage
    code: str | None = None
    message: str | None = None


async def try_template(
    checker: SafetyChecker, endpoint: Endpoint, chosen: AiSettings, template: str, file: FileToDocument
) -> Tried:
    """Ask once and check what comes; never raises for what the provider or the model does. Raises ``FileRefused``."""
    source = file.source.encode()
    await checker.check(source, file.language, [])
    once = msgspec.structs.replace(chosen, tries_max=1)
    bounded = msgspec.structs.replace(endpoint, timeout_s=min(endpoint.timeout_s, TRIAL_WAIT_S_MAX))
    try:
        provider = await open_provider(bounded)
    except AskingFailed as failure:
        return _nothing(Usage(tries=0), failure.code, str(failure))
    try:
        asked = await ask_for_comments(provider, once, template, file)
        report = await checker.check(source, file.language, asked.comments)
    except Unanswered as end:
        return _nothing(end.usage, end.code, str(end))
    except SafetyError as error:
        return _nothing(Usage(tries=1), "check.no_verdict", str(error))
    except FileRefused as refusal:
        return _nothing(Usage(tries=1), refusal.cause, refusal.reason)
    finally:
        await provider.close()
    return Tried(report=report, comments=asked.comments, usage=asked.usage)


async def try_templates(
    checker: SafetyChecker, endpoint: Endpoint, chosen: AiSettings, templates: Sequence[str], file: FileToDocument
) -> list[Tried]:
    """Each template on the same file, at the same time."""
    return await asyncio.gather(*(try_template(checker, endpoint, chosen, each, file) for each in templates))


class Place(msgspec.Struct, frozen=True):
    """Where a comment stands and of which kind it is."""

    type: str
    line: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Suggestions held against decisions."""

    kept: int
    missed: int
    avoided: int
    repeated: int
    new: int


def compare(suggested: Sequence[Place], approved: Sequence[Place], discarded: Sequence[Place]) -> Comparison:
    """Each decided comment meets at most one suggestion, the nearest of its kind; approved ones choose first."""
    left = list(suggested)
    kept = sum(_taken(left, place) for place in sorted(approved, key=lambda one: one.line))
    repeated = sum(_taken(left, place) for place in sorted(discarded, key=lambda one: one.line))
    return Comparison(
        kept=kept,
        missed=len(approved) - kept,
        avoided=len(discarded) - repeated,
        repeated=repeated,
        new=len(left),
    )


def _taken(left: list[Place], place: Place) -> bool:
    near = [one for one in left if one.type == place.type and abs(one.line - place.line) <= NEAR_LINES]
    if not near:
        return False
    left.remove(min(near, key=lambda one: abs(one.line - place.line)))
    return True


def places_of(tried: Tried) -> list[Place]:
    """Where the accepted comments of a trial were meant to stand."""
    if tried.report is None:
        return []
    shaped = [msgspec.convert(tried.comments[one.index], _Shaped) for one in tried.report.accepted]
    return [Place(one.type, one.target.line) for one in shaped]


class _Target(msgspec.Struct):
    line: int


class _Shaped(msgspec.Struct):
    type: str
    target: _Target


def _nothing(usage: Usage, code: str, message: str) -> Tried:
    return Tried(report=None, comments=[], usage=usage, code=code, message=message)
