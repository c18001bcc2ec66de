"""Stored events as text, straight from the log: what copies of the history are made of, without decoding an event."""

from __future__ import annotations

from typing import TypeAlias

StoredText: TypeAlias = tuple[int, str, str, str, int, str, str, str, str | None, str, str, str]
"""Position, time of recording, topic, stream, version, actor, event id, correlation, causation, command, hash, payload.

The time is UTC as RFC 3339 with six digits of a second, the hash lower-case hex, the payload the stored JSON as it is:
together they hold everything that an event's hash is taken over.
"""

PAGE_BYTES_MAX = 4 * 1024 * 1024
"""Payload after which a page ends early: what keeps memory flat where descriptions are long."""


_TEXTS = """e.notification_id AS position,
                   to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
                   e.topic AS topic, e.originator_id::text AS stream, e.originator_version AS version,
                   e.actor AS actor, e.event_id::text AS event_id, e.correlation_id::text AS correlation,
                   e.causation_id::text AS causation, e.command_id::text AS command,
                   encode(e.hash, 'hex') AS link, e.state AS state"""


def stream_query(conditions: str) -> str:
    """A query for ``StoredText`` in order of position, from ``eventlog.events e``, to be read as the server finds it.

    Its parameters are those of ``conditions``, then the most rows.
    """
    return f"SELECT {_TEXTS} FROM eventlog.events e WHERE {conditions} ORDER BY e.notification_id LIMIT %s"


def page_query(conditions: str) -> str:
    """A query for one page of ``StoredText`` in order of position, from ``eventlog.events e``.

    Its parameters are those of ``conditions``, then the most rows and the most bytes. A page holds at least one row
    where there is one, and ends with the row that reaches the bytes: only an empty page is known to be the last.
    """
    return f"""
        SELECT position, at, topic, stream, version, actor, event_id, correlation, causation, command, link, state
        FROM (
            SELECT {_TEXTS},
                   sum(octet_length(e.state)) OVER (ORDER BY e.notification_id) - octet_length(e.state) AS bytes_before
            FROM eventlog.events e WHERE {conditions} ORDER BY e.notification_id LIMIT %s
        ) page WHERE bytes_before < %s ORDER BY position
    """
