"""Reads the log for an export: pages of stored events that meet a selection, over a connection that may break."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from itertools import islice
from typing import Any

import psycopg

from hivesync_core.eventstore.records import GENESIS_HASH
from hivesync_core.exports.selection import Selection
from projections.engine.stored_text import StoredText, stream_query
from projections.exports.erasure import Erasures

PAGE_ROWS = 32
"""Rows of a page: what is made of them is still in the core's cache when it is written, and its memory is used again.
Few enough, too, that the longest payloads do not weigh."""

WINDOW_ROWS = 20_000
"""Rows that one statement reads: an export that takes its time does not keep a snapshot open for the whole log."""

RECONNECT_WAIT_S = 60.0
"""How long an export waits for a database that is away before it gives up."""

_RECONNECT_PAUSE_S = 0.25

_HEAD = b"SELECT coalesce(max(notification_id), 0) FROM eventlog.events"
_LINK = b"SELECT hash FROM eventlog.events WHERE notification_id = %s"
_ERASED = b"SELECT originator_id::text FROM eventlog.events WHERE topic = 'account.erased.v1' AND notification_id <= %s"

# The first event of a stream says what project it belongs to. A scalar subquery probes the index once a row; written
# as EXISTS, it would be planned as a join with the whole log for every page.
_OF_PROJECT = """(
    SELECT strpos(f.state, %s) > 0 AND f.state::json->>'project_id' = %s
    FROM eventlog.events f WHERE f.originator_id = e.originator_id AND f.originator_version = 1
)"""

Connect = Callable[[], psycopg.Connection[Any]]

_LOST = (psycopg.OperationalError, psycopg.InterfaceError)


class LogReader:
    """Reads the log page by page; where a connection broke, it goes on over another behind the last page.

    ``connect`` gives a connection in autocommit mode. Raises ``psycopg.OperationalError`` when the database stays away
    for ``RECONNECT_WAIT_S``.
    """

    def __init__(self, connect: Connect, *, page_rows: int = PAGE_ROWS, window_rows: int = WINDOW_ROWS) -> None:
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._page_rows, self._window_rows = page_rows, window_rows

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def head(self) -> int:
        """The last position of the log; 0 where it is empty."""
        return int(self._fetch(_HEAD)[0][0])

    def link(self, position: int) -> bytes:
        """The hash of the event at a position; before the first one it is 32 zero bytes."""
        return bytes(self._fetch(_LINK, (position,))[0][0]) if position else GENESIS_HASH

    def erasures(self, through: int) -> Erasures:
        """The accounts that were erased up to a position."""
        return Erasures(frozenset(row[0] for row in self._fetch(_ERASED, (through,))))

    def pages(self, selection: Selection, through: int) -> Generator[Sequence[StoredText]]:
        """The events that meet the selection, up to a position; the server finds further ones while one page is used."""
        conditions, parameters = _conditions(selection)
        query = stream_query(f"e.notification_id > %s AND e.notification_id <= %s{conditions}").encode()
        after, found = selection.after, self._window_rows
        give_up_at = time.monotonic() + RECONNECT_WAIT_S
        while found == self._window_rows:
            found = 0
            try:
                with closing(self._window(query, (after, through, *parameters, self._window_rows))) as window:
                    for page in window:
                        found += len(page)
                        after = page[-1][0]
                        yield page
                        give_up_at = time.monotonic() + RECONNECT_WAIT_S
            except _LOST as error:
                self._wait_for_the_database(error, give_up_at)
                found = self._window_rows

    def _window(self, query: bytes, parameters: Sequence[Any]) -> Generator[list[StoredText]]:
        """What one statement reads, in pages."""
        size = self._page_rows
        rows = self._connected().cursor().stream(query, parameters, binary=True, size=size)
        while page := list(islice(rows, size)):
            yield page

    def _fetch(self, query: bytes, parameters: Sequence[Any] = ()) -> list[Any]:
        give_up_at = time.monotonic() + RECONNECT_WAIT_S
        while True:
            try:
                return self._connected().execute(query, parameters or None, binary=True).fetchall()
            except _LOST as error:
                self._wait_for_the_database(error, give_up_at)

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _wait_for_the_database(self, error: psycopg.Error, give_up_at: float) -> None:
        """Let go of a connection that is lost, and raise why where the database has been away for too long."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
        if time.monotonic() > give_up_at:
            raise error
        time.sleep(_RECONNECT_PAUSE_S)


def _conditions(selection: Selection) -> tuple[str, list[Any]]:
    """What the selection asks for besides positions, as SQL that follows other conditions, and its parameters."""
    conditions: list[str] = []
    parameters: list[Any] = []

    def add(condition: str, *values: Any) -> None:
        conditions.append(f" AND {condition}")
        parameters.extend(values)

    if selection.actor is not None:
        add("e.actor = %s", selection.actor)
    if selection.stream_id is not None:
        add("e.originator_id = %s", selection.stream_id)
    if selection.since is not None:
        add("e.recorded_at >= %s", selection.since)
    if selection.until is not None:
        add("e.recorded_at < %s", selection.until)
    if selection.types:
        beginnings = [f"{wanted}." for wanted in selection.types]
        add("(e.topic = ANY(%s) OR e.topic ^@ ANY(%s))", list(selection.types), beginnings)
    if selection.project_id is not None:
        project = str(selection.project_id)
        add(_OF_PROJECT, f'"project_id":"{project}"', project)
    return "".join(conditions), parameters
