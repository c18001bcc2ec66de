"""How much of anything a live session may hold and one live socket may ask for; times in seconds."""

from __future__ import annotations

from typing import Final

HOST_MESSAGE_BYTES_MAX: Final = 4_259_840
"""Bytes of one message from a host: a file of the largest size, with room for what JSON adds to it."""

VIEWER_MESSAGE_BYTES_MAX: Final = 4_096
"""Bytes of one message from a viewer, and of a first message that is not a host's."""

FIRST_MESSAGE_BYTES_MAX: Final = 65_536
"""Bytes of the message that says who a socket is; a host's ignore files have to fit in."""

HOST_MESSAGES_PER_S: Final = 2_000
"""A host that sends more is not closed: the server reads no faster."""

HOST_MESSAGES_BURST_MAX: Final = 4_000
VIEWER_MESSAGES_PER_S: Final = 2
VIEWER_MESSAGES_BURST_MAX: Final = 20

SNAPSHOTS_PER_S: Final = 0.2
"""Snapshots that a viewer may ask for, beside those that it needs."""

SNAPSHOTS_BURST_MAX: Final = 5
FILE_BYTES_MAX: Final = 2_097_152
"""Bytes of one file's text in UTF-8."""

SESSION_BYTES_MAX: Final = 8_388_608
"""Bytes of all files of a session in UTF-8."""

FILES_MAX: Final = 64
CHANGES_MAX: Final = 10_000
"""Edits in one change: as many as replacing a word everywhere makes."""

SELECTIONS_MAX: Final = 1_000
NAME_CHARS_MAX: Final = 400
LANGUAGE_CHARS_MAX: Final = 40
IGNORE_FILES_MAX: Final = 200
IGNORE_PATTERNS_MAX: Final = 2_000
"""Lines of all ignore files together."""

IGNORE_PATTERN_CHARS_MAX: Final = 500

TEXT_PART_CHARS_MAX: Final = 16_384
"""Characters of one part of a text on its way to a viewer."""

HISTORY_BYTES_MAX: Final = 1_048_576
"""Bytes of messages that a viewer may have missed and still be sent one by one; beyond, it gets a snapshot."""

HISTORY_MESSAGES_MAX: Final = 8_192

STALLED_S_MAX: Final = 60.0
"""How long a viewer may take nothing; then its socket is closed."""

READY_WAIT_S: Final = 5.0
"""How long viewers wait for `live.ready` of a host that has begun anew."""

RESUME_S_MAX: Final = 600.0
"""How long a host or a viewer that dropped may resume."""

UNWATCHED_S_MAX: Final = 3_600.0
"""How long a session lasts without viewers, from its start too."""

INVITE_S: Final = 3_600.0
"""How long an invite lets people in."""

LIVE_SOCKETS_MAX: Final = 12_000
"""Live sockets open on one process."""

VIEWERS_MAX: Final = 12_000
"""Viewers of one session."""

INVITES_MAX: Final = 100
"""Invites of one session that still let people in."""

SESSIONS_PER_HOST_MAX: Final = 100
"""Sessions of one host that have not ended."""
