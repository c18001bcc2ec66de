"""What the server says to a viewer."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from shared.socket.live.from_server import Ended, Heartbeat, Pong, Renewed, Said
from shared.socket.live.parts import Change, Range, Sha256


class Viewing(Said, frozen=True, kw_only=True):
    """The viewer is attached. ``resumed``: what it missed follows; otherwise a snapshot."""

    event_type = "live.viewing"

    session_id: UUID
    viewer_id: UUID
    host_id: UUID
    host_name: str
    title: str
    resumed: bool
    valid_until: datetime | None
    heartbeat_s: float


class Snapshot(Said, frozen=True, kw_only=True):
    """Forget every file: all of them follow, up to `live.snapshot_end`."""

    event_type = "live.snapshot"

    epoch: int
    files: int
    reason: Literal["joined", "lagged", "asked", "host_resumed"]


class File(Said, frozen=True, kw_only=True):
    """A file was opened or is sent anew: it has this version once its ``parts`` have come, each a `live.text`."""

    event_type = "live.file"

    file: str
    version: int
    language: str
    sha256: Sha256
    parts: int


class Text(Said, frozen=True, kw_only=True):
    """A part of a file's text, from zero on."""

    event_type = "live.text"

    file: str
    part: int
    text: str


class SnapshotEnd(Said, frozen=True, kw_only=True):
    """Everything that the session shows at ``seq`` has been sent."""

    event_type = "live.snapshot_end"


class Patched(Said, frozen=True, kw_only=True):
    """A file went from ``base_version`` to ``version`` by these changes, as in `live.change`.

    A viewer whose version is not ``base_version``, or whose text has not ``sha256_after`` then, sends `live.resync`.
    """

    event_type = "live.patch"

    file: str
    base_version: int
    version: int
    changes: tuple[Change, ...]
    sha256_after: Sha256 | None = None


class Closed(Said, frozen=True, kw_only=True):
    """A file is shown no more."""

    event_type = "live.closed"

    file: str


class Renamed(Said, frozen=True, kw_only=True):
    """A file has another name."""

    event_type = "live.renamed"

    file: str
    to: str


class Focus(Said, frozen=True, kw_only=True):
    """Where the host is."""

    event_type = "live.focus"

    file: str | None
    selections: tuple[Range, ...] = ()
    visible: Range | None = None


class HostStatus(Said, frozen=True, kw_only=True):
    """Whether the host is there; the session ends when an absent one has not resumed at ``resumes_until``."""

    event_type = "live.host_status"

    status: Literal["here", "away"]
    resumes_until: datetime | None = None


TO_VIEWER: Final[tuple[type[Said], ...]] = (
    Viewing, Snapshot, File, Text, SnapshotEnd, Patched, Closed, Renamed, Focus, HostStatus,
    Renewed, Pong, Heartbeat, Ended,
)  # fmt: skip


class ToViewer(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a message to a viewer."""

    event_type: str
    payload: Said
    seq: int
