"""What every list and detail has in common: pages, moments in the past, and waiting for one's own write."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias

from litestar.params import HeaderParameter, QueryParameter

from adapters.http.failures import NotYetVisible, QueryInvalid
from adapters.http.limits import CURSOR_MAX, MIN_POSITION_WAIT_S, PAGE_MAX
from adapters.http.services import Services
from hivesync_core.kernel.times import named_time
from projections.engine.queries import MomentUnknown, Page, position_at

POSITION_MAX: Final = (1 << 63) - 1
_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
_MOMENT: Final = f"^([0-9]{{1,19}}|{_TIME})$"
_POSITION_OR_TIME: Final = "a position of the log, or a time (RFC 3339) that has passed."

Cursor: TypeAlias = Annotated[
    str | None,
    QueryParameter(max_length=CURSOR_MAX, pattern=r"^[\x20-\x7e]*$", description="`next_cursor` of the page before."),
]
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Entries of a page.")]
AsOf: TypeAlias = Annotated[
    str | None, QueryParameter(pattern=_MOMENT, description=f"What stood then: {_POSITION_OR_TIME}")
]
From: TypeAlias = Annotated[
    str, QueryParameter(name="from", pattern=_MOMENT, description=f"The earlier moment: {_POSITION_OR_TIME}")
]
To: TypeAlias = Annotated[
    str | None,
    QueryParameter(name="to", pattern=_MOMENT, description=f"The later moment, now if left out: {_POSITION_OR_TIME}"),
]
MinPosition: TypeAlias = Annotated[
    int,
    QueryParameter(ge=0, le=POSITION_MAX, description="Wait until what stood at this position is to be seen."),
]
MinPositionHeader: TypeAlias = Annotated[
    int,
    HeaderParameter(
        name="HiveSync-Min-Position",
        ge=0,
        le=POSITION_MAX,
        description="The same as a header: the `position` that a command was answered with shows one's own write.",
    ),
]


async def shown_at(services: Services, model: str, *wanted: int | None) -> int:
    """The position that a read model shows, once it shows the ``wanted`` ones.

    Raises ``MomentUnknown`` for a position that the log has not reached, ``NotYetVisible`` when the wait is too long.
    """
    position = max((each for each in wanted if each is not None), default=0)
    reached = services.positions.reached(model)
    if position <= reached:
        return reached
    if position > services.follower.head and position > await _head(services):
        raise MomentUnknown("No event has this position yet.")
    if not await services.positions.wait(model, position, MIN_POSITION_WAIT_S):
        raise NotYetVisible(position, services.positions.reached(model))
    return services.positions.reached(model)


async def shown_now(services: Services, model: str) -> int:
    """The position that a read model shows, once it shows everything that is stored; raises ``NotYetVisible``."""
    return await shown_at(services, model, await _head(services))


async def moment(services: Services, name: str, text: str) -> int:
    """The position that a position or a time stands for; raises ``QueryInvalid`` or ``MomentUnknown``.

    A time stands for what was recorded up to it. One that has not passed stands for nothing yet.
    """
    if text.isdigit():
        position = int(text)
        if position > POSITION_MAX or position > max(services.follower.head, await _head(services)):
            raise MomentUnknown("No event has this position yet.")
        return position
    try:
        time = named_time(text)
    except ValueError as error:
        raise QueryInvalid(name, "it is neither a position nor a time such as 2026-11-23T12:00:00Z") from error
    if time > datetime.now(UTC):
        raise MomentUnknown("The time has not passed yet.")
    await shown_now(services, "history")
    return await position_at(services.database, time)


async def time_at(services: Services, position: int) -> datetime:
    """When the event at a position was recorded; now where there is none."""
    row = await services.database.fetch_one(
        "SELECT recorded_at FROM eventlog.events WHERE notification_id = %s", (position,)
    )
    return datetime.now(UTC) if row is None else row[0]


async def as_of_position(services: Services, text: str | None) -> int | None:
    """The position that ``as_of`` names, none where it is left out."""
    return None if text is None else await moment(services, "as_of", text)


def page_body(page: Page, position: int) -> bytes:
    """A page of documents that are JSON already."""
    cursor = b"null" if page.next_cursor is None else b'"%b"' % page.next_cursor.encode()
    return b'{"items":%b,"next_cursor":%b,"position":%d}' % (page.items, cursor, position)


def query_text(name: str, text: str) -> str:
    """Text to search for; raises ``QueryInvalid`` where the database could not hold it."""
    if _NOT_SEARCHABLE.search(text):
        raise QueryInvalid(name, "it holds a character that no text can hold")
    return text


_NOT_SEARCHABLE: Final = re.compile("[\0\ud800-\udfff]")


async def _head(services: Services) -> int:
    row = await services.database.fetch_one("SELECT max(notification_id) FROM eventlog.events")
    return 0 if row is None or row[0] is None else int(row[0])
