"""What the server says to a host."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from shared.socket.live.from_server import Ended, Heartbeat, Pong, Renewed, Said
from shared.socket.live.parts import Sha256

ViewerStatus = Literal["watching", "away", "left", "removed"]


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the server has it."""

    file: str
    version: int
    sha256: Sha256


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who watches. ``name`` is the account's, or what a guest called themselves; who is ``away`` may resume."""

    viewer_id: UUID
    account_id: UUID | None
    name: str
    status: ViewerStatus
    joined_at: datetime


class Hosting(Said, frozen=True, kw_only=True):
    """The host is attached. ``files`` is what the server still has: others must be opened again, then `live.ready`.

    A file at another version or digest than the host's is opened again too. ``valid_until`` is when the socket is
    closed unless the token is renewed.
    """

    event_type = "live.hosting"

    session_id: UUID
    epoch: int
    files: tuple[HeldFile, ...]
    viewers: tuple[Viewer, ...]
    valid_until: datetime | None
    heartbeat_s: float


class Ack(Said, frozen=True, kw_only=True):
    """The server's copy of the file is at this version."""

    event_type = "live.ack"

    file: str
    version: int


class SendSnapshot(Said, frozen=True, kw_only=True):
    """A patch did not fit and changed nothing: send the file whole with `live.open`. What comes before is passed by."""

    event_type = "live.send_snapshot"

    file: str
    reason: Literal["not_open", "version", "range", "digest", "too_large"]
    message: str


class Refused(Said, frozen=True, kw_only=True):
    """A message of the host was not carried out; ``rule`` names the rule that a file's name fell under."""

    event_type = "live.refused"

    about: str
    code: Literal[
        "file.name",
        "file.secret",
        "file.ignored",
        "file.not_allowed",
        "file.too_large",
        "file.too_many",
        "file.digest",
        "file.taken",
        "file.not_open",
    ]
    message: str
    file: str | None = None
    rule: str | None = None


class ViewerNews(Said, frozen=True, kw_only=True):
    """Somebody joined, came back, went away, left or was removed."""

    event_type = "live.viewer"

    viewer: Viewer


TO_HOST: Final[tuple[type[Said], ...]] = (
    Hosting, Ack, SendSnapshot, Refused, ViewerNews, Renewed, Pong, Heartbeat, Ended,
)  # fmt: skip


class ToHost(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a message to a host."""

    event_type: str
    payload: Said
