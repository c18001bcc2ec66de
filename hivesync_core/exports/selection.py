"""Which part of the history an export holds: every condition that is set must be met."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from hivesync_core.exports.refusals import SelectionRefused
from hivesync_core.kernel.ids import SYSTEM_ACTOR, ProjectId
from hivesync_core.kernel.times import in_utc

TYPES_MAX: Final = 100
"""Types that one selection may name."""

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of the history.

    ``types`` are topics (``task.help_claimed.v1``) or what topics begin with, by whole parts (``task``,
    ``task.help_claimed``). ``actor`` is an account id as text, or ``system``. ``since`` is within, ``until`` is not;
    both look at the time of recording. Positions run from the one after ``after`` to ``through``, which is within.
    """

    project_id: ProjectId | None = None
    actor: str | None = None
    types: tuple[str, ...] = ()
    stream_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    through: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every event between the positions is part of it."""
        return self == Selection(after=self.after, through=self.through)


def checked(selection: Selection) -> Selection:
    """The selection in its one form: types sorted, ids in lower case, times in UTC.

    Raises ``SelectionRefused`` and ``TimeRefused``.
    """
    if len(selection.types) > TYPES_MAX:
        raise _refused("types", f"{len(selection.types)} types, {TYPES_MAX} are the most")
    for wanted in selection.types:
        if not _TYPE.fullmatch(wanted):
            raise _refused(
                "types", f"{wanted!r} is no type: name one like task.help_claimed.v1, or a beginning like task"
            )
    for name in ("since", "until"):
        time: datetime | None = getattr(selection, name)
        if time is not None and time.tzinfo is None:
            raise _refused(name, "a time needs its zone, like 2025-03-01T12:00:00Z")
    if selection.since and selection.until and selection.since >= selection.until:
        raise _refused("until", "it must be later than since")
    if selection.after < 0:
        raise _refused("after", "positions are counted from 1; 0 is before the first")
    if selection.through is not None and selection.through < selection.after:
        raise _refused("through", "it must not be before after")
    return msgspec.structs.replace(
        selection,
        types=tuple(sorted(set(selection.types))),
        actor=_checked_actor(selection.actor),
        since=selection.since and in_utc(selection.since, "since"),
        until=selection.until and in_utc(selection.until, "until"),
    )


def _checked_actor(actor: str | None) -> str | None:
    if actor is None or actor == SYSTEM_ACTOR:
        return actor
    try:
        return str(UUID(actor))
    except ValueError as error:
        raise _refused("actor", f"it must be an account's id, or {SYSTEM_ACTOR}") from error


def _refused(field: str, reason: str) -> SelectionRefused:
    return SelectionRefused(f"{field}: {reason}.", field=field)
