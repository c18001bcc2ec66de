"""The messages on ``/ws``: each is ``{"event_type": "<dotted.name>", "payload": {…}}``, with more keys beside.

``position``, beside the two keys of a message from the server, says: everything up to this place in the log that
concerns this socket has been sent. A client keeps the last one and resumes from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

import msgspec

from shared.socket.limits import SUBSCRIBED_PROJECTS_MAX, TOKEN_MAX

Position = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
"""A place in the log; 0 is before the first event."""

_Secret = Annotated[str, msgspec.Meta(max_length=TOKEN_MAX)]

Projects = Literal["all"] | Annotated[tuple[UUID, ...], msgspec.Meta(max_length=SUBSCRIBED_PROJECTS_MAX)]
"""``all`` that the account belongs to, now and later, or these."""


class FromClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payload of a message from a client."""

    event_type: ClassVar[str]


class Auth(FromClient, frozen=True, kw_only=True):
    """Prove who you are: the first message, and again before a token ends. Either a token or a one-time ticket.

    In the first message ``after`` is the last position that the client has, whose later events it is sent then;
    without it events come from now on. ``projects`` is what to subscribe to. Both are passed by in a renewal.
    """

    event_type = "auth"

    token: _Secret | None = None
    ticket: _Secret | None = None
    after: Position | None = None
    projects: Projects = "all"


class Subscribe(FromClient, frozen=True, kw_only=True):
    """Hear of these projects from now on, and of no others. Events of one's own account come in any case."""

    event_type = "subscribe"

    projects: Projects


class Ping(FromClient, frozen=True, kw_only=True):
    """Ask for a ``pong``."""

    event_type = "ping"

    nonce: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class FromServer(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a message from the server that is no event of the log."""

    event_type: ClassVar[str]


class AuthAccepted(FromServer, frozen=True, kw_only=True):
    """The socket is authenticated, or its token renewed; the message's position is where events go on after.

    ``projects`` are those of the subscription that the account belongs to now. ``valid_until`` is when the socket is
    closed unless the token is renewed before; none where it does not end.
    """

    event_type = "auth.accepted"

    account_id: UUID
    scopes: tuple[str, ...]
    projects: tuple[UUID, ...]
    valid_until: datetime | None
    heartbeat_s: float


class Subscribed(FromServer, frozen=True, kw_only=True):
    """The subscription is another one: events after the message's position are those of ``projects``."""

    event_type = "subscribed"

    projects: tuple[UUID, ...]


class Pong(FromServer, frozen=True, kw_only=True):
    """The answer to a ``ping``, with its nonce."""

    event_type = "pong"

    nonce: str | None


class Heartbeat(FromServer, frozen=True, kw_only=True):
    """The socket lives, and nothing is missing up to the message's position."""

    event_type = "heartbeat"


class Resync(FromServer, frozen=True, kw_only=True):
    """Events were left out: read the state anew from the API, at the message's position or later.

    Events after that position follow on this socket.
    """

    event_type = "resync"

    reason: Literal["too_far_behind", "position_unknown"]


class Problem(FromServer, frozen=True, kw_only=True):
    """A message was understood and not carried out; the socket stays open.

    ``code`` is stable: ``message.unknown_type``, or ``project.unknown`` with the ``projects`` that the account cannot
    hear of. ``about`` is the type of the message.
    """

    event_type = "error"

    code: Literal["message.unknown_type", "project.unknown"]
    message: str
    about: str
    projects: tuple[UUID, ...] = ()


class ReviewProgress(FromServer, frozen=True, kw_only=True):
    """How far the comments for a file are that a model is asked for. It may be lost; what counts are the events.

    ``tries`` counts from 1; ``answer_chars`` is how much of the answer has come.
    """

    event_type = "review.progress"

    project_id: UUID
    review_id: UUID
    stage: Literal["asking", "answering", "waiting", "checking"]
    tries: int
    answer_chars: int


FROM_CLIENT: Final[tuple[type[FromClient], ...]] = (Auth, Subscribe, Ping)
FROM_SERVER: Final[tuple[type[FromServer], ...]] = (
    AuthAccepted,
    Subscribed,
    Pong,
    Heartbeat,
    Resync,
    Problem,
    ReviewProgress,
)
"""Every message beside the events of the log."""


class Incoming(msgspec.Struct, frozen=True):
    """The envelope of a message from a client."""

    event_type: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    payload: msgspec.Raw


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a message from the server that is no event of the log."""

    event_type: str
    payload: Any
    position: int


class EventMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of an event of the log.

    ``event_type`` is the event's topic without its version, ``schema_version`` that version: a client that does not
    know it reads the state anew. ``version`` counts the events of the stream. ``project_id`` is the project that the
    stream belongs to, none for one's own account.
    """

    event_type: str
    payload: msgspec.Raw
    position: int
    stream_id: UUID
    version: int
    time: datetime
    actor: str
    project_id: UUID | None
    event_id: UUID
    schema_version: int
