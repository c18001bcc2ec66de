"""How much of anything one client may hand over; every limit that the HTTP door keeps."""

from __future__ import annotations

from typing import Final

JSON_BODY_BYTES_MAX: Final = 1_000_000
"""A request's JSON. A route that takes files or imports sets its own ``request_max_body_size``."""

SOURCE_BODY_BYTES_MAX: Final = 6_000_000
"""JSON with a file in it: the largest that the settings allow, with room for what JSON escapes."""

SOCKET_FRAME_BYTES_MAX: Final = 1_048_576

HEAD_BYTES_MAX: Final = 65_536
"""A request's first line and headers."""

HEAD_WAIT_S: Final = 15.0
"""How long a client may take for the head of its request, or for the first one after it has connected."""

BODY_WAIT_S: Final = 30.0
"""How long a client may take for a JSON body, once its head is there."""

CONNECTIONS_WAITING_MAX: Final = 2_048
"""Connections that the kernel keeps for us until they are accepted."""

IDEMPOTENCY_KEY_MAX: Final = 255
REQUEST_ID_MAX: Final = 128

SHUTDOWN_GRACE_S: Final = 5
"""How long requests that are under way may take when the server stops."""

MIN_POSITION_WAIT_S: Final = 3.0
"""How long a reader waits for the read model to show its own write."""

PAGE_MAX: Final = 200
PAGE: Final = 50
"""Entries of a page where nothing else is asked for."""

CURSOR_MAX: Final = 2_000
SEARCH_TEXT_MAX: Final = 200
FILTER_VALUES_MAX: Final = 20
"""Values of one filter, such as states or labels."""

IMPORTS_AT_ONCE: Final = 2
"""Imports that one process runs at the same time."""
