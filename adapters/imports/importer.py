"""Gives the tasks of a file to the log, many at once, and keeps account of what came of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from adapters.ids import now, uuid7
from adapters.imports.drafts import Draft, Flaw, Piece, Skipped
from adapters.imports.source import ReadOptions, Source
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import Role
from hivesync_core.tasks.commands import ImportTask
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.importing import import_of, imported_task_id
from shared.api.imports import BAD_ROWS_MAX, UNKNOWN_PEOPLE_MAX, BadRow, ImportProgress, ImportReport

COMMANDS_AT_ONCE = 128
"""Commands on their way to the log: enough for its batches to be full, few enough to leave room for people."""

RETRY_S = 30.0
"""How long a command is tried again while the database is away or busy."""

TOLD_NEW_MAX = 1_000_000
"""Tasks of a dry run that are remembered, so that the same one further down is not told to be new again."""

PROGRESS_EVERY_S = 0.2
_RETRY_PAUSE_S = 0.25


class Destination(NamedTuple):
    """Where the tasks go, and in whose name; ``accounts`` are the members by their names in the file, case folded."""

    project_id: ProjectId
    by: AccountId
    role: Role
    accounts: Mapping[str, AccountId] = {}
    correlation_id: UUID | None = None


class Wishes(NamedTuple):
    """How an import goes: what is before ``from_line`` is passed over, and a dry run stores nothing."""

    dry_run: bool = False
    from_line: int = 1
    on_progress: Callable[[ImportProgress], None] = lambda progress: None
    on_bad_row: Callable[[BadRow], None] = lambda row: None


class Importer:
    """One import. ``run`` may be cancelled at any time; what was imported by then stays."""

    def __init__(self, log: Log, target: Destination, source: Source, options: ReadOptions, wishes: Wishes) -> None:
        self._log, self._target, self._source, self._wishes = log, target, source, wishes
        self._pieces: Iterator[Piece] = source.pieces(options)
        self._correlation_id = target.correlation_id or uuid7()
        self._read = self._created = self._existing = self._skipped = self._shortened = self._position = 0
        self._bad_rows: list[BadRow] = []
        self._bad = 0
        self._unknown: dict[str, None] = {}
        self._under_way: set[int] = set()
        self._stopped_by: str | None = None
        self._gave_up = False
        self._told_new: set[int] = set()
        self._go_on_from: int | None = None
        self._began = self._told_at = time.monotonic()

    def begin(self) -> None:
        """Read the beginning of the file. Raises ``MappingRefused`` where the columns of a table cannot be mapped."""
        first = next(self._pieces, None)
        if first is not None:
            self._pieces = chain([first], self._pieces)

    async def run(self) -> ImportReport:
        """Import everything; raises as ``begin``."""
        self.begin()
        async with asyncio.TaskGroup() as group:
            for _ in range(COMMANDS_AT_ONCE):
                group.create_task(self._work())
        return self._report()

    async def _work(self) -> None:
        while self._stopped_by is None:
            piece = next(self._pieces, None)
            if piece is None:
                return
            if piece.line >= self._wishes.from_line or (isinstance(piece, Flaw) and piece.ends):
                await self._take(piece)
            self._tell()

    async def _take(self, piece: Piece) -> None:
        match piece:
            case Draft():
                self._read += 1
                self._under_way.add(piece.line)
                try:
                    await self._import(piece)
                except Refusal as refusal:
                    self._note_bad(piece.line, refusal.facts.get("field"), str(refusal))
                except StoreError as error:
                    self._stop(min(self._under_way), f"the event store does not take it: {error}")
                self._under_way.discard(piece.line)
            case Flaw():
                self._note_bad(piece.line, piece.field, piece.cause, more=piece.more)
                if piece.ends:
                    self._stop(piece.line, piece.cause)
                # A file full of flaws must not keep everything else in this process waiting.
                await asyncio.sleep(0)
            case Skipped():
                self._skipped += 1
                await asyncio.sleep(0)

    async def _import(self, draft: Draft) -> None:
        target = self._target
        at = now()
        command = import_of(
            draft.task,
            project_id=target.project_id,
            by=target.by,
            role=target.role,
            at=at,
            accounts=target.accounts,
        )
        task_id = imported_task_id(target.project_id, command.source, command.external_id)
        is_new = await self._is_new(command, task_id) if self._wishes.dry_run else await self._store(command, task_id)
        self._created += is_new
        self._existing += not is_new
        self._shortened += bool(command.shortened)
        for assignee in command.assignees:
            if assignee.account_id is None and len(self._unknown) < UNKNOWN_PEOPLE_MAX:
                self._unknown[assignee.name] = None

    async def _is_new(self, command: ImportTask, task_id: UUID) -> bool:
        """What storing would lead to; raises the ``Refusal`` that it would raise."""
        loaded = await self._log.state(task, task_id)
        is_new = bool(task.decide(loaded.state, command)) and task_id.int not in self._told_new
        if is_new and len(self._told_new) < TOLD_NEW_MAX:
            self._told_new.add(task_id.int)
        return is_new

    async def _store(self, command: ImportTask, task_id: UUID) -> bool:
        context = Context(str(command.by), command.at, uuid7(), self._correlation_id)
        give_up_at = time.monotonic() + RETRY_S
        while True:
            try:
                outcome = await self._log.execute(task, task_id, command, context)
            except StoreError:
                # Repeating is safe: a task that was stored after all is found, and nothing more happens.
                if self._gave_up or time.monotonic() > give_up_at:
                    self._gave_up = True
                    raise
                await asyncio.sleep(_RETRY_PAUSE_S)
                continue
            self._position = max(self._position, outcome.position)
            return bool(outcome.events)

    def _note_bad(self, line: int, field: str | None, cause: str, *, more: bool = False) -> None:
        row = BadRow(line=line, field=field, cause=cause)
        self._bad += not more
        if len(self._bad_rows) < BAD_ROWS_MAX:
            self._bad_rows.append(row)
        self._wishes.on_bad_row(row)

    def _stop(self, line: int, cause: str) -> None:
        if self._stopped_by is None:
            self._stopped_by = cause
        # What was under way when the reading stopped may still fail.
        self._go_on_from = line if self._go_on_from is None else min(self._go_on_from, line)

    def _tell(self) -> None:
        at = time.monotonic()
        if at - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = at
            self._wishes.on_progress(self.progress())

    def progress(self) -> ImportProgress:
        """How far the import is."""
        elapsed_s = time.monotonic() - self._began
        fraction = self._source.fraction
        return ImportProgress(
            read=self._read,
            created=self._created,
            existing=self._existing,
            skipped=self._skipped,
            bad=self._bad,
            fraction=fraction,
            elapsed_s=round(elapsed_s, 3),
            tasks_per_s=round(self._read / elapsed_s, 1) if elapsed_s else 0.0,
            time_left_s=round(elapsed_s * (1 - fraction) / fraction, 1) if fraction else None,
        )

    def _report(self) -> ImportReport:
        elapsed_s = time.monotonic() - self._began
        return ImportReport(
            read=self._read,
            created=self._created,
            existing=self._existing,
            skipped=self._skipped,
            bad=self._bad,
            bad_rows=sorted(self._bad_rows, key=lambda row: row.line),
            shortened=self._shortened,
            unknown_people=list(self._unknown),
            dry_run=self._wishes.dry_run,
            complete=self._stopped_by is None,
            stopped_by=self._stopped_by,
            go_on_from_line=self._go_on_from,
            position=self._position,
            elapsed_s=round(elapsed_s, 3),
            tasks_per_s=round(self._read / elapsed_s, 1) if elapsed_s else 0.0,
        )
