"""Has what was refused of an answer written again, and takes the second answer only where it costs nothing of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from adapters.ai.again import Refusal
from adapters.ai.asking import Asked, Tell, ask_again
from adapters.ai.prompting import FileToDocument
from adapters.safety.checker import SafetyChecker, SafetyError
from hivesync_core.comments import FileRefused, Report
from hivesync_core.reviews.events import Usage
from hivesync_core.settings.decider import AiSettings

if TYPE_CHECKING:
    from adapters.ai.provider import Provider


class Improved(NamedTuple):
    """The comments that count, what the check says of them, and what all the requests took."""

    comments: list[object]
    report: Report
    usage: Usage


async def improved(
    provider: Provider,
    checker: SafetyChecker,
    settings: AiSettings,
    template: str,
    file: FileToDocument,
    asked: Asked,
    report: Report,
    *,
    tell: Tell = lambda *_: None,
) -> Improved:
    """Ask once more for the comments that ``report`` refuses. Never raises for what the model or the check makes of it."""
    refusals = [Refusal(one.index, asked.comments[one.index], one.reason) for one in report.refused]
    again = await ask_again(provider, settings, template, file, asked, refusals, tell=tell)
    first = Improved(asked.comments, report, again.usage)
    if again.comments == asked.comments:
        return first
    try:
        second = await checker.check(file.source.encode(), file.language, again.comments)
    except (FileRefused, SafetyError):
        return first
    is_better = {one.index for one in report.accepted} < {one.index for one in second.accepted}
    return Improved(again.comments, second, again.usage) if is_better else first
