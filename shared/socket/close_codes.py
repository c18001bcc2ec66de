"""The only table of close codes: why the server closes a socket, and what a client does then."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from shared.socket.live.from_server import END_REASONS


class CloseCode(IntEnum):
    """The code that a socket is closed with; those from 4400 on resemble the HTTP status of the same end."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    BINARY = 1003
    NOT_UTF8 = 1007
    TOO_BIG = 1009
    SERVER_ERROR = 1011
    RESTART = 1012
    TRY_AGAIN = 1013
    MALFORMED = 4400
    NOT_AUTHENTICATED = 4401
    SCOPE_MISSING = 4403
    NO_SESSION = 4404
    READ_ONLY = 4405
    AUTH_TIMEOUT = 4408
    REPLACED = 4409
    REVOKED = 4410
    TOKEN_IN_URL = 4414
    EXPIRED = 4419
    TOO_MANY_MESSAGES = 4429
    TOO_MANY_SOCKETS = 4430
    TOO_SLOW = 4431
    SESSION_ENDED = 4441
    REMOVED = 4442


class Meaning(NamedTuple):
    """What a code says, and what a client does about it; ``reasons`` are what stands in the close frame beside it."""

    cause: str
    remedy: str
    reasons: Mapping[Any, str] = {}


class Gone(StrEnum):
    """Why somebody has no place in a live session any more, as the close frame says it."""

    UNKNOWN = "unknown"
    LEFT = "left"
    AWAY_TOO_LONG = "away_too_long"
    MAY_NOT_HOST = "may_not_host"
    REMOVED = "removed"
    NOT_MEMBER = "not_member"


CLOSE_CODES: Final[dict[CloseCode, Meaning]] = {
    CloseCode.NORMAL: Meaning("The client closed the socket.", "Nothing."),
    CloseCode.PROTOCOL_ERROR: Meaning("A frame that the WebSocket protocol does not allow.", "Mend the client."),
    CloseCode.BINARY: Meaning("A binary message; every message is text.", "Mend the client."),
    CloseCode.NOT_UTF8: Meaning("A text message that is not UTF-8.", "Mend the client."),
    CloseCode.TOO_BIG: Meaning("A message larger than the limit, or in too many frames.", "Send less."),
    CloseCode.SERVER_ERROR: Meaning(
        "Something went wrong in the server; its log says what.", "Connect again after a pause, with the last position."
    ),
    CloseCode.RESTART: Meaning(
        "The server stops or restarts.", "Connect again after a pause of a random length, with the last position."
    ),
    CloseCode.TRY_AGAIN: Meaning(
        "The server is starting, is full, or cannot reach its database.",
        "Connect again after a pause of a random length, with the last position.",
    ),
    CloseCode.MALFORMED: Meaning(
        "A message that is no JSON object of the form {event_type, payload}, or a payload of the wrong shape.",
        "Mend the client.",
    ),
    CloseCode.NOT_AUTHENTICATED: Meaning(
        "The first message did not authenticate, or its token or ticket is not good.",
        "Get a new token; connect again with it.",
    ),
    CloseCode.SCOPE_MISSING: Meaning(
        "The token lacks the scope that the socket needs: `live` for a host, `read` otherwise.",
        "Use a token that has it.",
    ),
    CloseCode.NO_SESSION: Meaning(
        "There is no such live session or viewer, or none any more; the reason says which.",
        "Join anew.",
        {
            Gone.UNKNOWN: "There is no such session of this account, or no such viewer.",
            Gone.LEFT: "The viewer has left.",
            Gone.AWAY_TOO_LONG: "The viewer was away for longer than it may resume.",
            Gone.MAY_NOT_HOST: "The account may not host in the project any more.",
        },
    ),
    CloseCode.READ_ONLY: Meaning(
        "A viewer of a live session sent what viewers may not send. Nothing was changed.", "Mend the client."
    ),
    CloseCode.AUTH_TIMEOUT: Meaning("No message authenticated the socket in time.", "Send `auth` at once."),
    CloseCode.REPLACED: Meaning(
        "The same host or viewer of a live session has opened another socket.", "Nothing; the other one serves."
    ),
    CloseCode.REVOKED: Meaning(
        "The token was revoked, its session signed out, or its account disabled, erased or changed.",
        "Sign in again.",
    ),
    CloseCode.TOKEN_IN_URL: Meaning(
        "The address held a token. Addresses end up in logs.", "Revoke that token; send tokens in `auth` only."
    ),
    CloseCode.EXPIRED: Meaning(
        "The token's time ran out and no renewed one came.", "Renew it; connect again with the last position."
    ),
    CloseCode.TOO_MANY_MESSAGES: Meaning("More messages or pings than the limit.", "Send less often."),
    CloseCode.TOO_MANY_SOCKETS: Meaning("The account has as many sockets open as it may.", "Close some."),
    CloseCode.TOO_SLOW: Meaning(
        "A viewer of a live session took nothing for too long.", "Connect again with the last epoch and seq."
    ),
    CloseCode.SESSION_ENDED: Meaning(
        "The live session has ended; `live.ended` said why, to whoever comes back as well.", "Nothing.", END_REASONS
    ),
    CloseCode.REMOVED: Meaning(
        "The viewer was sent away from the live session.",
        "Do not come back.",
        {
            Gone.REMOVED: "The host or an owner of the project removed the viewer.",
            Gone.NOT_MEMBER: "The viewer belongs to the project no more.",
        },
    ),
}
"""Every code, with its meaning. A handshake from a foreign ``Origin`` is refused before it opens: HTTP 403."""
