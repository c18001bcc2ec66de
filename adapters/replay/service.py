"""What can be done with read models: rebuild, check, audit, and take up what is parked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from adapters.ids import now, uuid7
from adapters.postgres.connections import Database
from adapters.postgres.errors import UNAVAILABLE
from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.kernel.ids import SYSTEM_ACTOR, AccountId
from hivesync_core.kernel.refusal import Conflict, Invalid, NotFound
from hivesync_core.kernel.times import named_time
from hivesync_core.operations.commands import NoteRebuild, SkipEvent
from hivesync_core.operations.decider import upkeep, upkeep_stream
from projections.engine.audit import audit
from projections.engine.checking import check
from projections.engine.entries import LogReader
from projections.engine.lease import LeaseLost
from projections.engine.queries import MomentUnknown, position_at
from projections.engine.readmodel import ReadModel
from projections.engine.rebuild import Rebuild, RebuildBusy, RebuildProgress
from projections.engine.retry import parked_streams, retry_stream
from shared.api.replay import (
    Difference,
    Flaw,
    Mode,
    ParkedStream,
    ProjectionList,
    Replayed,
    ReplayProgress,
    Retried,
    ShownProjection,
)

Told = Callable[[ReplayProgress], None]

_STANDING = """
    SELECT l.name, l.version, l.position, l.events, l.owner, l.updated_at, r.position,
           (SELECT count(*) FROM ops.parked_streams s WHERE s.name = l.name AND s.build = 'live'),
           (SELECT coalesce(max(notification_id), 0) FROM eventlog.events)
    FROM ops.projections l LEFT JOIN ops.projections r ON r.name = l.name AND r.build = 'rebuild'
    WHERE l.build = 'live' ORDER BY l.name
"""


class ProjectionUnknown(NotFound):
    """There is no read model of this name; the facts name those that there are."""

    code = "replay.projection_unknown"
    title = "There is no such read model"


class NotParked(NotFound):
    """The read model does not wait with this stream."""

    code = "replay.not_parked"
    title = "The stream is not parked"


class ReplayBusy(Conflict):
    """The read model is being rebuilt or checked by another process."""

    code = "replay.busy"
    title = "A replay of this read model is under way"


class OtherVersion(Conflict):
    """The live read model was made by another version of HiveSync, whose tables look otherwise."""

    code = "replay.other_version"
    title = "The read model is of another version"


class ToNotMeant(Invalid):
    """Only a rebuild goes up to a position."""

    code = "replay.to_not_meant"
    title = "Only a rebuild can end at a position or time"


class NoMoment(Invalid):
    """What should be a time is none, such as the 30th of February."""

    code = "replay.no_moment"
    title = "There is no such time"


class Replay:
    """Replays read models of one installation. Nothing but their tables is written, and the fact that it was done."""

    def __init__(
        self, database: Database, log: Log, catalogue: Catalogue, models: Sequence[ReadModel], owner: str
    ) -> None:
        self._database = database
        self._log = log
        self._reader = LogReader(database, catalogue)
        self._models = {model.name: model for model in models}
        self._owner = owner

    @property
    def names(self) -> list[str]:
        """The names of the read models."""
        return list(self._models)

    def model(self, name: str) -> ReadModel:
        """The read model of this name; raises ``ProjectionUnknown``."""
        model = self._models.get(name)
        if model is None:
            raise ProjectionUnknown(f"the read models are {', '.join(self._models)}", projections=self.names)
        return model

    async def standing(self) -> ProjectionList:
        """How far every read model is."""
        rows = await self._database.fetch_all(_STANDING)
        items = [
            ShownProjection(
                projection=name,
                version=version,
                position=position,
                lag=max(0, head - position),
                events=events,
                parked=parked,
                owner=owner,
                rebuilding_at=rebuilding_at,
                updated_at=updated_at,
            )
            for name, version, position, events, owner, updated_at, rebuilding_at, parked, head in rows
        ]
        return ProjectionList(items=items, head=rows[0][-1] if rows else 0)

    async def position_of(self, moment: str) -> int:
        """The position that a position or a time (RFC 3339) stands for.

        Raises ``MomentUnknown`` for one that the log has not reached, and ``NoMoment`` for one that no calendar has.
        """
        if moment.isdigit():
            position = int(moment)
            if position > await self._reader.head():
                raise MomentUnknown("No event has this position yet.")
            return position
        at = time_of(moment)
        if at > now():
            raise MomentUnknown("The time has not passed yet.")
        return await position_at(self._database, at)

    async def replay(
        self,
        mode: Mode,
        name: str,
        *,
        by: AccountId | None = None,
        to: str | None = None,
        anew: bool = False,
        on_progress: Told = lambda progress: None,
    ) -> Replayed:
        """Replay one read model; raises ``ReplayBusy`` where another process is at it, and ``StoreUnavailable``."""
        model, began = self.model(name), time.monotonic()
        if to is not None and mode != "rebuild":
            raise ToNotMeant
        try:
            match mode:
                case "rebuild" if to is not None:
                    replayed = await self._rebuild_to(model, await self.position_of(to), anew, on_progress)
                case "rebuild":
                    replayed = await self._rebuild(model, by, anew, on_progress)
                case "audit":
                    replayed = await self._audit(model, on_progress)
                case _:
                    replayed = await self._check(model, mode, on_progress)
        except (RebuildBusy, LeaseLost) as error:
            raise ReplayBusy(str(error)) from error
        return msgspec.structs.replace(replayed, seconds=round(time.monotonic() - began, 3))

    async def parked(self, names: Sequence[str]) -> list[ParkedStream]:
        """The streams that these read models wait with."""
        rows = await parked_streams(self._database, names)
        return [ParkedStream(**row._asdict()) for row in rows]

    async def retry(self, name: str, stream_id: UUID) -> Retried:
        """Try a parked stream again; raises ``NotParked`` and ``StoreUnavailable``."""
        model = self.model(name)
        await self._find(name, stream_id)
        try:
            async with self._database.direct("hivesync-retry") as connection:
                retried = await retry_stream(connection, model, self._reader.catalogue, stream_id)
        except UNAVAILABLE as error:
            raise StoreUnavailable(f"the database does not answer: {error}") from error
        return Retried(projection=name, stream_id=stream_id, **retried._asdict())

    async def skip(self, name: str, stream_id: UUID, reason: str, context: Context, by: AccountId | None) -> Retried:
        """Go on without the event that a stream is parked at, now and in every rebuild; that is an event itself.

        Raises ``NotParked`` and ``TextRefused``.
        """
        parked = await self._find(name, stream_id)
        command = SkipEvent(projection=name, stream_id=stream_id, position=parked.position, reason=reason, by=by)
        await self._log.execute(upkeep, upkeep_stream(name), command, context)
        return await self.retry(name, stream_id)

    async def _find(self, name: str, stream_id: UUID) -> ParkedStream:
        self.model(name)
        for parked in await self.parked([name]):
            if parked.stream_id == stream_id:
                return parked
        raise NotParked(f"{name} does not wait with the stream {stream_id}")

    async def _rebuild(self, model: ReadModel, by: AccountId | None, anew: bool, on_progress: Told) -> Replayed:
        """Rebuild, swap, and say so in the history."""
        async with self._database.direct("hivesync-replay") as connection:
            rebuild = Rebuild(connection, self._reader, model, self._owner)
            await rebuild.begin(anew=anew)
            await rebuild.run(await rebuild.live_position(), _telling(model, on_progress))
            on_progress(ReplayProgress(projection=model.name, step="indexing", position=rebuild.progress.position))
            await rebuild.finish_indexes()
            on_progress(ReplayProgress(projection=model.name, step="swapping", position=rebuild.progress.position))
            await rebuild.swap()
        progress = rebuild.progress
        for parked in await self.parked([model.name]):
            # What was skipped while the rebuild was under way.
            await self.retry(model.name, parked.stream_id)
        note = NoteRebuild(
            projection=model.name, version=model.version, position=progress.position, events=progress.events, by=by
        )
        await self._log.execute(upkeep, upkeep_stream(model.name), note, _context(by))
        return _replayed(model, "rebuild", rebuild, swapped=True)

    async def _rebuild_to(self, model: ReadModel, position: int, anew: bool, on_progress: Told) -> Replayed:
        """Rebuild up to a position, and leave the result beside what serves."""
        async with self._database.direct("hivesync-replay") as connection:
            rebuild = Rebuild(connection, self._reader, model, self._owner)
            await rebuild.begin(anew=anew, up_to=position)
            await rebuild.run(position, _telling(model, on_progress))
            on_progress(ReplayProgress(projection=model.name, step="indexing", position=position))
            await rebuild.finish_indexes()
            await rebuild.pause()
        return _replayed(model, "rebuild", rebuild, swapped=False)

    async def _check(self, model: ReadModel, mode: Mode, on_progress: Told) -> Replayed:
        standing = {each.projection: each.version for each in (await self.standing()).items}
        if standing.get(model.name) != model.version:
            raise OtherVersion(f"rebuild {model.name} first, or check it with the version that it was made by")
        checked = await check(self._database, self._reader, model, self._owner, _telling(model, on_progress))
        differences = tuple(Difference(**msgspec.structs.asdict(each)) for each in checked.comparison.differences)
        return Replayed(
            projection=model.name,
            mode=mode,
            position=checked.position,
            events=checked.position,
            parked=checked.parked,
            differing=checked.comparison.differing,
            differences=differences,
        )

    async def _audit(self, model: ReadModel, on_progress: Told) -> Replayed:
        on_progress(ReplayProgress(projection=model.name, step="auditing"))
        (audited,) = await audit(self._database, [model.name])
        flaws = tuple(Flaw(**msgspec.structs.asdict(each)) for each in audited.flaws)
        return Replayed(
            projection=model.name, mode="audit", position=audited.position, events=audited.events, flaws=flaws
        )


def time_of(moment: str) -> datetime:
    """The time (RFC 3339) in UTC; raises ``NoMoment``."""
    try:
        return named_time(moment)
    except ValueError as error:
        raise NoMoment(str(error)) from error


def _telling(model: ReadModel, on_progress: Told) -> Callable[[RebuildProgress], None]:
    def tell(progress: RebuildProgress) -> None:
        on_progress(
            ReplayProgress(
                projection=model.name,
                step="rebuilding",
                position=progress.position,
                target=progress.target,
                events_per_s=round(progress.rate, 1),
                time_left_s=None if progress.seconds_left is None else round(progress.seconds_left, 1),
            )
        )

    return tell


def _replayed(model: ReadModel, mode: Mode, rebuild: Rebuild, *, swapped: bool) -> Replayed:
    return Replayed(
        projection=model.name,
        mode=mode,
        position=rebuild.progress.position,
        events=rebuild.progress.events,
        resumed_at=rebuild.resumed_at,
        swapped=swapped,
        parked=rebuild.parked,
    )


def _context(by: AccountId | None) -> Context:
    command_id = uuid7()
    return Context(SYSTEM_ACTOR if by is None else str(by), now(), command_id, command_id)
