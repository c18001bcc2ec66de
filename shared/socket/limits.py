"""How much of anything one socket may ask for or be owed; times in seconds."""

from __future__ import annotations

from typing import Final

MESSAGE_BYTES_MAX: Final = 65_536
"""Bytes of one message from a client, whole, however many frames it comes in."""

FRAGMENTS_MAX: Final = 64
"""Frames that one message may come in."""

MESSAGES_BURST_MAX: Final = 100
"""Messages and pings that a client may send at once; then ``MESSAGES_PER_S`` a second."""

MESSAGES_PER_S: Final = 20

AUTH_WAIT_S: Final = 5.0
"""From the opened socket to a first message that authenticates it."""

REPLAY_EVENTS_MAX: Final = 10_000
"""Events of the log that a client may be behind and still be sent what it missed; beyond, it is told to resync."""

OUTBOX_BYTES_MAX: Final = 262_144
"""Bytes that wait for one client. One that takes no more is sent the rest from the log when it does."""

SUBSCRIBED_PROJECTS_MAX: Final = 1_000
"""Projects that one message may name; ``all`` has no limit."""

SOCKETS_MAX: Final = 10_000
"""Sockets open on one process."""

SOCKETS_PER_ACCOUNT_MAX: Final = 100
"""Sockets open for one account on one process."""

HEARTBEAT_S: Final = 20.0
"""A message comes at least this often; after two and a half times as long a client may take its socket for dead."""

PING_INTERVAL_S: Final = 20.0
"""The server's WebSocket pings; without an answer within ``PING_TIMEOUT_S`` the connection is taken for dead."""

PING_TIMEOUT_S: Final = 20.0
CLOSE_WAIT_S: Final = 5.0
"""How long a client may take to answer the close of its socket."""

TOKEN_MAX: Final = 200
"""Characters of a token or ticket."""
