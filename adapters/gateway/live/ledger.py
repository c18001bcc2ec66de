"""The ledger of exposure: who was shown which file and which lines, when; never what stands in them (LIVE-7).

Who attends, and from which number on, is stored before anything is sent to them. What is shown to all who attend is
gathered for a moment and stored once for all: a row a file and range, not one a viewer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog

from adapters.gateway.live.room import Picture, Room
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.kernel.ports import Clock, IdSource
from hivesync_core.live.exposure import ShownLines
from shared.socket.live import File, Patched, Renamed, Said

logger = structlog.get_logger(__name__)

GATHERED_S: Final = 2.0
"""How long shown lines are gathered before they are stored; what a killed process had not stored yet is lost."""

WAITING_MAX: Final = 100_000
"""Rows that wait for a database that is away."""

_SHOWN = """
    INSERT INTO live.exposure_shown (session_id, epoch, first_seq, last_seq, file, first_line, last_line, shown_from, shown_to)
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::int[],
        %s::timestamptz[], %s::timestamptz[])"""

_LEFT = """
    UPDATE live.exposure_attendance a SET to_seq = l.to_seq, until = l.until
    FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) AS l(attendance_id, to_seq, until)
    WHERE a.attendance_id = l.attendance_id"""

_SNAPSHOT = """
    INSERT INTO live.exposure_snapshots (session_id, epoch, seq, file, lines)
    SELECT %s, %s, %s, * FROM unnest(%s::text[], %s::int[]) ON CONFLICT DO NOTHING"""

_ATTEND = """
    INSERT INTO live.exposure_attendance
        (attendance_id, session_id, viewer_id, node, epoch, after_seq, by_snapshot, since)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::boolean[],
        %s::timestamptz[])"""


class Attendance(NamedTuple):
    """Somebody is sent what comes after a number, and before it a snapshot at that number or nothing."""

    attendance_id: UUID
    session_id: UUID
    viewer_id: UUID
    node: UUID
    epoch: int
    after_seq: int
    by_snapshot: bool
    since: datetime


class Gathered:
    """What a room has shown to its viewers and is not stored yet."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.files: dict[str, ShownLines] = {}
        self.first_seq = 0
        self.since: datetime | None = None

    def take(self, said: Said, at: datetime) -> None:
        """A message is about to be sent, as the room's next one."""
        match said:
            case File(file=name):
                lines = self.room.files[name].document.line_count
                self.files[name] = ShownLines([(1, lines)])
            case Patched(file=name):
                self.files.setdefault(name, ShownLines()).change(said.changes)
            case Renamed(file=name, to=to):
                if name in self.files:
                    self.files[to] = self.files.pop(name)
                return
            case _:
                return
        if self.since is None:
            self.first_seq, self.since = self.room.seq + 1, at


class Ledger:
    """Stores who was shown what; ``start`` before it is used."""

    def __init__(self, database: Database, node: UUID, clock: Clock, new_id: IdSource) -> None:
        self._database, self._node, self._clock, self._new_id = database, node, clock, new_id
        self._gathered: dict[UUID, Gathered] = {}
        self._shown: list[tuple[Any, ...]] = []
        self._left: list[tuple[UUID, int, datetime]] = []
        self._attending: list[Attendance] = []
        self._storing: asyncio.Future[None] | None = None

    def watch(self, room: Room) -> None:
        """Gather what a room shows, from now on."""
        gathered = self._gathered[room.session_id] = Gathered(room)
        room.on_shown = lambda said: gathered.take(said, self._clock())

    def forget(self, room: Room) -> None:
        """Store what a room has shown, and gather no more of it."""
        self.cut(room)
        room.on_shown = None
        self._gathered.pop(room.session_id, None)

    def cut(self, room: Room) -> None:
        """Count what was shown so far apart from what comes: somebody leaves, or a new epoch begins."""
        gathered = self._gathered.get(room.session_id)
        if gathered is None or gathered.since is None or len(self._shown) > WAITING_MAX:
            return
        at = self._clock()
        for name, lines in gathered.files.items():
            self._shown += [
                (room.session_id, room.epoch, gathered.first_seq, room.seq, name, first, last, gathered.since, at)
                for first, last in lines.take()
            ]
        gathered.files, gathered.since = {}, None

    async def attend(self, room: Room, viewer_id: UUID, after_seq: int, picture: Picture | None) -> UUID:
        """Somebody is about to be sent a snapshot, or what came after a number; stored when this returns.

        Raises ``StoreUnavailable``: then nothing may be sent.
        """
        self.cut(room)
        if picture is not None and picture.lines:
            names, lines = zip(*picture.lines, strict=True)
            await self._database.execute(
                _SNAPSHOT, (room.session_id, picture.epoch, picture.seq, list(names), list(lines))
            )
        epoch, after_seq = (room.epoch, after_seq) if picture is None else (picture.epoch, picture.seq)
        attendance = Attendance(
            self._new_id(), room.session_id, viewer_id, self._node, epoch, after_seq, picture is not None, self._clock()
        )
        self._attending.append(attendance)
        if self._storing is None:
            self._storing = asyncio.ensure_future(self._store_attending())
        await asyncio.shield(self._storing)
        return attendance.attendance_id

    async def _store_attending(self) -> None:
        """Store everybody who came in one moment together."""
        await asyncio.sleep(0)
        self._storing, attending, self._attending = None, self._attending, []
        await self._database.execute(_ATTEND, [list(column) for column in zip(*attending, strict=True)])

    def left(self, attendance_id: UUID, to_seq: int) -> None:
        """Somebody is sent nothing that comes after a number."""
        if len(self._left) < WAITING_MAX:
            self._left.append((attendance_id, to_seq, self._clock()))

    async def store(self) -> None:
        """Store what was gathered; tried again the next time where the database is away."""
        for gathered in self._gathered.values():
            self.cut(gathered.room)
        self._shown = await self._stored(_SHOWN, self._shown)
        self._left = await self._stored(_LEFT, self._left)

    async def _stored(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Store rows; those that could not be, and what has come meanwhile, are left."""
        if not rows:
            return list(rows)
        count = len(rows)
        try:
            await self._database.execute(statement, [list(column) for column in zip(*rows, strict=True)])
        except StoreUnavailable as error:
            logger.warning("exposure_waits_for_the_database", rows=count, error=str(error))
            return list(rows)
        return list(rows[count:])
