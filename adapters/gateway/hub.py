"""Hands every event of the log to the sockets that it concerns: one reader, one frame an event, no query a socket."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Set
from typing import Any, Final, Protocol
from uuid import UUID

from adapters.gateway.audience import Audiences
from adapters.gateway.memberships import Memberships
from adapters.gateway.news import News
from adapters.gateway.stats import Stats
from hivesync_core.accounts.events import AccountDisabled, AccountErased
from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.records import stream_prefix
from projections.engine.entries import Entry
from projections.engine.queries import QueryDatabase
from projections.engine.tasks import end
from projections.engine.tracing import AroundBatch, untraced
from projections.projects.queries import every_membership

logger = logging.getLogger(__name__)

RECENT_EVENTS_MAX: Final = 4_096
"""Events that are kept with their frames for those who come back."""

PAGE_EVENTS_MAX: Final = 500
WAIT_S: Final = 1.0
PAUSE_S: Final = 0.5
READS_AT_ONCE_MAX: Final = 4
"""Pages that are read from the database at the same time for sockets that are behind."""

_NOBODY: Final[frozenset[Any]] = frozenset()


class Follower(Protocol):
    """The reader of the log that the process shares."""

    head: int

    async def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """Wait until the log has an event after a position."""
        ...

    async def read(self, after: int, limit: int) -> list[Entry]:
        """The entries after a position."""
        ...


class Subscriber(Protocol):
    """A socket as the hub sees it. ``wanted`` are its projects, none for all of the account's."""

    account: int
    wanted: frozenset[int] | None
    position: int

    def deliver(self, news: News) -> bool:
        """Send it; false where the socket takes no more and has to be left out from here on."""
        ...

    def hint(self, frame: bytes) -> None:
        """Send what is no event, if the socket takes it at this moment."""
        ...

    def fell_behind(self) -> None:
        """It was left out: ``position`` is the last that it was sent."""
        ...


class Hub:
    """Follows the log. ``position`` is the last event that has been handed out.

    Subscribers that are up to date are ``joined`` and called for each event; those that are behind read ``after`` their
    position at their own pace, and join when nothing is left. Between the two there is no moment in which an event
    could slip through or come twice: joining happens without an ``await`` after the last look.
    """

    def __init__(
        self,
        database: QueryDatabase,
        catalogue: Catalogue,
        follower: Follower,
        stats: Stats,
        around: AroundBatch = untraced,
    ) -> None:
        self._database = database
        self._follower = follower
        self._around = around
        self._audiences = Audiences(database, catalogue)
        self._memberships = Memberships()
        self._by_project: dict[int, set[Subscriber]] = {}
        self._by_account: dict[int, set[Subscriber]] = {}
        self._recent: deque[News] = deque(maxlen=RECENT_EVENTS_MAX)
        self._reads = asyncio.Semaphore(READS_AT_ONCE_MAX)
        self._locked_out: list[Callable[[UUID], None]] = []
        self._failed: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._stats = stats
        self.ready = asyncio.Event()
        self.position = 0

    async def start(self) -> None:
        """Begin to follow, in the background; ``ready`` is set when the log's end was reached once."""
        self._task = asyncio.create_task(self._run(), name="gateway-hub")

    async def stop(self) -> None:
        """Stop to follow."""
        await end(self._task)

    def on_locked_out(self, callback: Callable[[UUID], None]) -> None:
        """Have ``callback`` called when the log says that an account was disabled or erased."""
        self._locked_out.append(callback)

    def on_failed(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called when what was handed out cannot be vouched for: whoever joined has to leave."""
        self._failed.append(callback)

    # --- what subscribers ask --------------------------------------------------------------------------------------

    def reach(self, account: int, wanted: frozenset[int] | None) -> frozenset[int]:
        """The projects that a subscription reaches: those that the account belongs to, of the wanted ones."""
        mine = self._memberships.projects_of(account)
        return frozenset(mine) if wanted is None else wanted & mine

    def join(self, subscriber: Subscriber) -> None:
        """Call the subscriber for every event after ``position``, which it has reached."""
        self._by_account.setdefault(subscriber.account, set()).add(subscriber)
        for project in self.reach(subscriber.account, subscriber.wanted):
            self._by_project.setdefault(project, set()).add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Call the subscriber no more; ``wanted`` is still what it was when it joined."""
        _discard(self._by_account, subscriber.account, subscriber)
        for project in self.reach(subscriber.account, subscriber.wanted):
            _discard(self._by_project, project, subscriber)

    def call_out(self, project: int, frame_at: Callable[[int], bytes]) -> None:
        """Send what is no event to those of a project who are up to date; it is lost for all others."""
        subscribers = self._by_project.get(project)
        if subscribers:
            frame = frame_at(self.position)
            for subscriber in subscribers:
                subscriber.hint(frame)

    def concerns(self, news: News, account: int, reach: frozenset[int]) -> bool:
        """Whether an event is for an account whose subscription reaches these projects."""
        return news.readable and (news.project in reach or news.account == account)

    async def after(self, position: int) -> list[News]:
        """Some of the events after a position, none beyond the hub's own; raises ``StoreUnavailable``.

        An empty list means that nothing is left, and is answered without a pause in which anything could have come.
        """
        if position >= self.position:
            return []
        recent = self._recent
        if recent and recent[0].position <= position + 1:
            first = position + 1 - recent[0].position
            return [recent[index] for index in range(first, min(first + PAGE_EVENTS_MAX, len(recent)))]
        async with self._reads:
            last = self.position
            return [news for news in await self._read(position) if news.position <= last]

    # --- following -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                if not self.ready.is_set():
                    await self._load()
                await self._follow()
            except StoreUnavailable as error:
                logger.warning("the gateway does not see the log: %s", error)
            except Exception:
                logger.exception("the gateway's hub failed; every socket is closed and it begins anew")
                self.ready.clear()
                for callback in self._failed:
                    callback()
            await asyncio.sleep(PAUSE_S)

    async def _load(self) -> None:
        """Begin where the read model of projects stands; what came after is read from the log."""
        position, rows = await every_membership(self._database)
        self._memberships = Memberships()
        self._memberships.load(rows)
        self._recent.clear()
        self.position = position

    async def _follow(self) -> None:
        while True:
            if self.position >= self._follower.head:
                self.ready.set()
                await self._follower.wait_beyond(self.position, WAIT_S)
            page = await self._read(self.position)
            if page:
                with self._around("push to sockets", [news.entry for news in page]):
                    for news in page:
                        self._hand_out(news)

    async def _read(self, after: int) -> list[News]:
        entries = await self._follower.read(after, PAGE_EVENTS_MAX)
        audiences = await self._audiences.of(entries)
        return [News(entry, audience) for entry, audience in zip(entries, audiences, strict=True)]

    def _hand_out(self, news: News) -> None:
        """Send one event to whom it concerns; membership changes at its very place in the log."""
        project, stream = news.project, news.entry.recorded.stream_id
        entered, left = self._memberships.apply(project, news.event) if stream.int == project else (None, None)
        if project is not None and entered is not None:
            self._let_in(project, entered)
        targets: Set[Subscriber] = self._by_project.get(project, _NOBODY) if project is not None else _NOBODY
        if news.account is not None:
            targets = targets | self._by_account.get(news.account, _NOBODY)
        self._recent.append(news)
        self._stats.events += 1
        if news.readable:
            self._send(news, targets)
        else:
            self._pass_by(news)
        self.position = news.position
        if project is not None and left is not None:
            self._let_out(project, left)
        if isinstance(news.event, AccountDisabled | AccountErased):
            for callback in self._locked_out:
                callback(stream)

    def _send(self, news: News, targets: Set[Subscriber]) -> None:
        behind = []
        for subscriber in targets:
            if news.position > subscriber.position:
                if subscriber.deliver(news):
                    self._stats.deliveries += 1
                else:
                    behind.append(subscriber)
        for subscriber in behind:
            self._stats.fell_behind += 1
            self.leave(subscriber)
            subscriber.position = news.position - 1
            subscriber.fell_behind()

    def _let_in(self, project: int, account: int) -> None:
        for subscriber in self._by_account.get(account, _NOBODY):
            if subscriber.wanted is None or project in subscriber.wanted:
                self._by_project.setdefault(project, set()).add(subscriber)

    def _let_out(self, project: int, account: int) -> None:
        for subscriber in list(self._by_project.get(project, _NOBODY)):
            if subscriber.account == account:
                _discard(self._by_project, project, subscriber)

    def _pass_by(self, news: News) -> None:
        """A newer version stored it. What may have taken a member's right away takes everybody's, here."""
        self._stats.unreadable += 1
        topic = news.entry.topic
        logger.error("the gateway passes by position %d, of the unknown topic %s", news.position, topic)
        if stream_prefix(topic) == "project":
            project = news.entry.recorded.stream_id.int
            self._memberships.forget(project)
            self._by_project.pop(project, None)


def _discard(index: dict[int, set[Subscriber]], key: int, subscriber: Subscriber) -> None:
    subscribers = index.get(key)
    if subscribers is not None:
        subscribers.discard(subscriber)
        if not subscribers:
            del index[key]
