"""What the queries of all read models share: the database they ask, pages, and moments in the past."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from hivesync_core.kernel.refusal import Invalid

PAGE_ROWS_MAX = 200
PAGE_ROWS = 50
UNBOUNDED = (1 << 63) - 1
"""Beyond every position."""


class QueryDatabase(Protocol):
    """A database that answers queries in bounded time."""

    async def fetch_all(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of the answer; raises ``StoreUnavailable``."""
        ...

    async def fetch_one(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the answer, or none; raises ``StoreUnavailable``."""
        ...


class CursorInvalid(Invalid):
    """A cursor that this server did not make, or made for another query."""

    code = "paging.cursor_invalid"
    title = "The cursor is not one of this query"


class MomentUnknown(Invalid):
    """A moment that the log has not reached."""

    code = "history.moment_unknown"
    title = "The log has not reached this moment"


class Page(msgspec.Struct, frozen=True):
    """Documents as the bytes of one JSON array, in order, and the cursor of the page after; none on the last."""

    items: bytes
    next_cursor: str | None = None


def json_array(document: str, condition: str) -> str:
    """The SQL of an aggregate: documents that meet a condition, in the order of the rows, as bytes of a JSON array."""
    texts = f"string_agg({document}, ',') FILTER (WHERE {condition})"
    return f"convert_to('[' || coalesce({texts}, '') || ']', 'UTF8')"


def as_of_document(table: str, key: str, value: str, position: str) -> str:
    """The SQL of a query for the document that a table with history held under a key at a position."""
    return (
        f"SELECT doc FROM readmodel.{table} WHERE {key} = {value} AND valid_from <= {position} UNION ALL "
        f"SELECT doc FROM readmodel.{table}_history "
        f"WHERE {key} = {value} AND valid_to > {position} AND valid_from <= {position}"
    )


def as_of_documents(table: str, key: str, condition: str, position: str) -> str:
    """The SQL of a query for all rows that meet a condition as they stood at a position: key, ``valid_from``, document.

    The table has a history and its rows stay, and the condition is about what never changes of them: each row that has
    changed since is looked up in the history, so that it matters how many rows there are, not how many versions.
    """
    return (
        f"SELECT n.{key}, coalesce(h.valid_from, n.valid_from) AS valid_from, coalesce(h.doc, n.doc) AS doc "
        f"FROM readmodel.{table} n LEFT JOIN LATERAL (SELECT valid_from, doc FROM readmodel.{table}_history "
        f"WHERE n.valid_from > {position} AND {key} = n.{key} AND valid_to > {position} AND valid_from <= {position} "
        f"ORDER BY valid_to LIMIT 1) h ON true "
        f"WHERE {condition} AND (n.valid_from <= {position} OR h.valid_from IS NOT NULL)"
    )


def encode_cursor(*parts: Any) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def decode_cursor(cursor: str, *shape: type) -> tuple[Any, ...]:
    """The parts of a cursor of this shape; raises ``CursorInvalid``."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=tuple.__class_getitem__(shape))  # type: ignore[no-any-return]
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise CursorInvalid("take cursors from next_cursor as they are, with the same filters and sorting") from error


async def position_at(database: QueryDatabase, time: datetime) -> int:
    """The last position of the longest prefix of the log of which no event was recorded after ``time``; 0 if none."""
    row = await database.fetch_one(
        "SELECT position FROM readmodel.history_event WHERE prefix_recorded_at <= %s "
        "ORDER BY prefix_recorded_at DESC, position DESC LIMIT 1",
        (time,),
    )
    return 0 if row is None else row[0]
