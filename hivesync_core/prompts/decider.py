"""The rules of prompts: a version never changes, a label points at one that exists (AI-6)."""

from __future__ import annotations

import re
from typing import Final, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.text import many_lines
from hivesync_core.prompts.events import PromptEvent, PromptLabelMoved, PromptTried, PromptVersionAdded
from hivesync_core.prompts.refusals import LabelRefused, PromptVersionUnknown, TooManyVersions

PROMPTS_ID: Final = UUID("5f1f0f5e-6c7b-5a3e-9d63-7c1f0a6c2b01")
"""The stream of the prompts: an installation has one."""

PRODUCTION: Final = "production"
DRAFT: Final = "draft"
VERSIONS_MAX: Final = 1_000
LABELS_MAX: Final = 50
NOTE_MAX: Final = 1_000

_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class AddPromptVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Keep a template as the next version; one with the same text as the latest is the latest."""

    sha256: str
    chars: int
    note: str = ""
    by: AccountId | None = None


class MovePromptLabel(msgspec.Struct, frozen=True, kw_only=True):
    """Have a label point at a version; a rollback is this."""

    label: str
    version: int
    by: AccountId | None = None


class RecordTrial(msgspec.Struct, frozen=True, kw_only=True):
    """Keep the counts of a trial in the playground; the fields as in ``PromptTried``."""

    by: AccountId
    version: int | None
    language: str
    size_bytes: int
    suggestions: int
    refused: int
    input_tokens: int
    output_tokens: int


PromptCommand = AddPromptVersion | MovePromptLabel | RecordTrial


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version: what its text hashes to."""

    sha256: str
    note: str = ""


class Prompts(msgspec.Struct, frozen=True, kw_only=True):
    """The versions, the first of them with the number 1, and what each label points at."""

    versions: tuple[Version, ...] = ()
    labels: dict[str, int] = {}

    def version(self, number: int) -> Version:
        """A version by its number; raises ``PromptVersionUnknown``."""
        if not 1 <= number <= len(self.versions):
            raise PromptVersionUnknown(f"There is no version {number}.", version=number)
        return self.versions[number - 1]


def decide(state: Prompts, command: PromptCommand) -> tuple[PromptEvent, ...]:
    """The events that follow from ``command``, or a refusal."""
    match command:
        case AddPromptVersion():
            return _add(state, command)
        case MovePromptLabel():
            return _move(state, command)
        case RecordTrial():
            counts = {name: getattr(command, name) for name in PromptTried.__struct_fields__ if name != "tried_by"}
            return (PromptTried(tried_by=command.by, **counts),)
        case _:
            assert_never(command)


def _add(state: Prompts, command: AddPromptVersion) -> tuple[PromptEvent, ...]:
    if state.versions and state.versions[-1].sha256 == command.sha256:
        return ()
    if len(state.versions) >= VERSIONS_MAX:
        raise TooManyVersions(versions_max=VERSIONS_MAX)
    number = len(state.versions) + 1
    added = PromptVersionAdded(
        version=number,
        sha256=command.sha256,
        chars=command.chars,
        note=many_lines(command.note, "note", chars_max=NOTE_MAX, may_be_blank=True),
        added_by=command.by,
    )
    if number > 1:
        return (added,)
    # There is always one in production: the first, until somebody chooses another.
    return (added, PromptLabelMoved(label=PRODUCTION, version=1, before=None, moved_by=command.by))


def _move(state: Prompts, command: MovePromptLabel) -> tuple[PromptEvent, ...]:
    if not _LABEL.fullmatch(command.label):
        raise LabelRefused("Lower case letters, digits and hyphens, up to 40 of them, not a hyphen first.")
    state.version(command.version)
    before = state.labels.get(command.label)
    if before == command.version:
        return ()
    if before is None and len(state.labels) >= LABELS_MAX:
        raise LabelRefused(f"There are {LABELS_MAX} labels already; move one of them.")
    moved = PromptLabelMoved(label=command.label, version=command.version, before=before, moved_by=command.by)
    return (moved,)


def evolve(state: Prompts, event: Event) -> Prompts:
    """The prompts after ``event``."""
    match event:
        case PromptVersionAdded():
            return replace(state, versions=(*state.versions, Version(sha256=event.sha256, note=event.note)))
        case PromptLabelMoved():
            return replace(state, labels={**state.labels, event.label: event.version})
        case PromptTried():
            return state
        case _:
            raise AssertionError(f"not an event of the prompts: {event!r}")


prompts: Decider[Prompts, PromptCommand] = Decider(name="prompt", initial=Prompts(), decide=decide, evolve=evolve)
"""The rules of the stream of the prompts."""
