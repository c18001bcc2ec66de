"""One build of a read model in the hands of this process: events are folded in memory and written in transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.kernel.event import Recorded
from projections.engine.entries import POSITION_MAX, Entry, Unreadable
from projections.engine.lease import DIGEST_MODULUS, LEASE_S, LIVE_BUILD, Lease, Progress, acquire
from projections.engine.parking import CannotApply, Parked, Parking, causes, skipped_positions
from projections.engine.readmodel import ReadModel
from projections.engine.rows import Rows
from projections.engine.tables import (
    LIVE,
    REBUILD,
    SINGLE_EVENTS_MAX,
    Missing,
    Staged,
    copy_rows,
    load_rows,
    stage_rows,
    write_rows,
)

YIELD_EVERY = 8
"""Events after which a long batch lets others of the same process have a turn: also what sends the page before it, which
would leave the database idle otherwise."""

FAULT_OF_AN_EVENT = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    ValueError,
    TypeError,
    ArithmeticError,
)
"""What writing rows raises where an event made a row that the database cannot hold."""

_GIVE_UP_WHEN_PAUSED = f"SET idle_in_transaction_session_timeout = '{LEASE_S}s'".encode()


class Build:
    """The live build of a read model, or the one that is made beside it.

    ``take`` it, then ``process`` entries. It keeps up to ``held_max`` rows of each table between two batches, which it
    may, because nobody else writes under its lease. After any error it must be taken anew.
    """

    def __init__(
        self,
        connection: AsyncConnection[Any],
        model: ReadModel,
        name: str,
        catalogue: Catalogue,
        *,
        held_max: int = 0,
    ) -> None:
        self._connection = connection
        self._model = model
        self._name = name
        self._catalogue = catalogue
        self._held_max = held_max
        self._wanted = frozenset((*model.events, Unreadable) if model.takes_unreadable else model.events)
        self._rows = Rows(model)
        self._parking = Parking(model.name, name)
        self._lease: Lease | None = None
        self._skipped: frozenset[int] = frozenset()
        self.taken_back = 0
        """Batches that were taken back because of one of their events."""

        self.schema = LIVE if name == LIVE_BUILD else REBUILD
        self.progress = self._staged = Progress(0, 0, 0)

    @property
    def parked(self) -> int:
        """How many streams are parked."""
        return len(self._parking.streams)

    async def take(self, owner: str) -> bool:
        """Take the lease; false where another process holds it, or the tables are of another version."""
        connection, model = self._connection, self._model
        await connection.execute(_GIVE_UP_WHEN_PAUSED)
        acquired = await acquire(connection, model.name, self._name, model.version, owner)
        if acquired is None:
            return False
        self._lease, self.progress = acquired
        self._staged = self.progress
        self._rows.clear()
        await self._parking.load(connection)
        self._skipped = await skipped_positions(connection, self._catalogue, model.name)
        return True

    async def release(self) -> None:
        """Give the lease back, where it was taken."""
        if self._lease is not None:
            await self._lease.release(self._connection)

    async def hold(self) -> None:
        """Lock the projection for the caller's transaction; raises ``LeaseLost``."""
        await (await self.lease.lock(self._connection)).confirm(self.progress.position)

    @property
    def lease(self) -> Lease:
        """The lease; it was taken."""
        assert self._lease is not None, "take() first"
        return self._lease

    def concerns(self, entries: Sequence[Entry]) -> bool:
        """Whether any of the entries may change a row, and not only how far the projection has come."""
        wanted = self._wanted
        return any((kind := type(entry.recorded.event)) in wanted or kind is Unreadable for entry in entries)

    async def process(self, entries: Sequence[Entry]) -> None:
        """Process entries in one transaction: rows, parked streams and position are written together or not at all.

        An entry that the read model or the database cannot bear parks its stream. Raises ``LeaseLost`` when another
        process has taken over.
        """
        parked: list[Parked] = []
        while True:
            try:
                await self._transact(entries, parked)
                return
            except CannotApply as failure:
                parked += failure.parked
            except FAULT_OF_AN_EVENT as error:
                if len(entries) > 1:
                    await self.forget()
                    await self.process(entries[: len(entries) // 2])
                    await self.process(entries[len(entries) // 2 :])
                    return
                if parked:
                    raise
                parked.append(Parked.at(entries[0], causes(error)))
            await self.forget()

    async def forget(self) -> None:
        """Go back to what the database holds, after a transaction that was taken back."""
        self.taken_back += 1
        self._staged = self.progress
        self._rows.clear()
        await self._parking.load(self._connection)

    async def _transact(self, entries: Sequence[Entry], parked: Sequence[Parked]) -> None:
        for one in parked:
            self._parking.park(one)
        if len(entries) <= SINGLE_EVENTS_MAX or not self.concerns(entries):
            await self._transact_singly(entries)
        else:
            await self._write(await self._stage(entries))

    async def _transact_singly(self, entries: Sequence[Entry]) -> None:
        """A few events, or such as change no row, in one pipeline: two round trips, one where no row has to be read."""
        connection, rows, before = self._connection, self._rows, self.progress
        rows.copied = False
        async with connection.pipeline(), connection.transaction():
            # First of all, so that whoever swaps the tables waits here, where no table is locked yet.
            locked = await self.lease.lock(connection)
            await load_rows(connection, rows, self._missing(entries), self.schema)
            await locked.confirm(before.position)
            after = await self._fold(entries, before)
            await write_rows(connection, rows, self.schema)
            await self._parking.write(connection, self._parking.taken())
            await self.lease.advance(connection, before, after)
        self.progress = self._staged = after
        rows.written(self._held_max)

    async def _stage(self, entries: Sequence[Entry]) -> StagedBatch:
        """Fold a batch and make it ready to be written."""
        self._rows.copied = True
        await load_rows(self._connection, self._rows, self._missing(entries), self.schema)
        before = self._staged
        after = await self._fold(entries, before)
        staged = StagedBatch(before, after, stage_rows(self._rows), self._parking.taken())
        self._rows.written(self._held_max)
        self._staged = after
        return staged

    async def _write(self, staged: StagedBatch) -> None:
        connection = self._connection
        async with connection.transaction():
            await (await self.lease.lock(connection)).confirm(staged.before.position)
            await copy_rows(connection, staged.tables, self.schema)
            await self._parking.write(connection, staged.parked)
            await self.lease.advance(connection, staged.before, staged.after)
        self.progress = staged.after

    async def _fold(self, entries: Sequence[Entry], before: Progress) -> Progress:
        """Apply the entries to the rows; raises ``CannotApply`` with the first of each stream that fails."""
        rows, model, wanted = self._rows, self._model, self._wanted
        failed: list[Parked] = []
        position, events, digest = before
        for count, entry in enumerate(entries, 1):
            recorded = entry.recorded
            rows.position = position = recorded.position
            if type(recorded.event) in wanted and not self._is_left_out(recorded):
                try:
                    model.apply(recorded, rows)
                except Exception as error:  # noqa: BLE001 - the stream is parked with it
                    failed.append(Parked.at(entry, causes(error)))
                    self._parking.streams[recorded.stream_id] = recorded.position
            elif type(recorded.event) is Unreadable and model.concerns(entry.topic) and not self._is_left_out(recorded):
                self._parking.park(Parked.at(entry, recorded.event.cause))
            digest += int.from_bytes(entry.hash, "big")
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        if failed:
            raise CannotApply(failed)
        return Progress(position, events + len(entries), digest % DIGEST_MODULUS)

    def _is_left_out(self, recorded: Recorded) -> bool:
        """Whether the event is skipped, or its stream parked there or before."""
        parked, skipped = self._parking.streams, self._skipped
        if parked and recorded.position >= parked.get(recorded.stream_id, POSITION_MAX):
            return True
        return bool(skipped) and recorded.position in skipped

    def _missing(self, entries: Sequence[Entry]) -> Missing:
        """The rows that the batch needs from the database; of streams that begin in the batch there are none."""
        wanted = self._wanted
        recorded = [entry.recorded for entry in entries if type(entry.recorded.event) in wanted]
        begun = [one.stream_id for one in recorded if one.version <= 1]
        # By their integers: UUIDs hash in Python.
        touched = {one.stream_id.int: one.stream_id for one in recorded}
        missing = {}
        for table_rows in self._rows.keyed:
            table = table_rows.table
            keys = touched
            if table.fixed_keys:
                keys = {key.int: key for key in table.fixed_keys}
            elif table.loaded_for is not None:
                loaded_for = table.loaded_for
                keys = {one.stream_id.int: one.stream_id for one in recorded if type(one.event) in loaded_for}
            if not table.fixed_keys:
                for stream_id in begun:
                    table_rows.absent(stream_id)
            missing[table.name] = table_rows.unknown(keys)
        return missing


class StagedBatch(NamedTuple):
    """A batch that was folded and is ready to be written, and where the projection stands before and after it."""

    before: Progress
    after: Progress
    tables: list[Staged]
    parked: list[Parked]
