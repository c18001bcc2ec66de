"""What the server says to a host and to a viewer alike."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final, Literal

import msgspec

EndReason = Literal["host_ended", "owner_ended", "no_viewers", "host_away", "host_not_member"]

END_REASONS: Final[dict[EndReason, str]] = {
    "host_ended": "The host ended it.",
    "owner_ended": "An owner of the project ended it.",
    "no_viewers": "Nobody had watched for an hour.",
    "host_away": "The host did not come back.",
    "host_not_member": "The host does not belong to the project any more.",
}
"""Why a session ended, in words."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a message that the server sends."""

    event_type: ClassVar[str]


class Renewed(Said, frozen=True, kw_only=True):
    """The token was renewed."""

    event_type = "live.renewed"

    valid_until: datetime | None


class Pong(Said, frozen=True, kw_only=True):
    """The answer to a ping, with its nonce."""

    event_type = "live.pong"

    nonce: str | None


class Heartbeat(Said, frozen=True, kw_only=True):
    """The socket lives; a viewer is missing nothing up to ``seq``."""

    event_type = "live.heartbeat"


class Ended(Said, frozen=True, kw_only=True):
    """The session has ended; the socket is closed after this."""

    event_type = "live.ended"

    reason: EndReason
