"""What a host and a viewer say to the server."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.socket.limits import TOKEN_MAX
from shared.socket.live.parts import Change, Count, Range, Sha256
from shared.socket.live_limits import (
    CHANGES_MAX,
    IGNORE_FILES_MAX,
    IGNORE_PATTERN_CHARS_MAX,
    IGNORE_PATTERNS_MAX,
    LANGUAGE_CHARS_MAX,
    NAME_CHARS_MAX,
    SELECTIONS_MAX,
)

_Secret = Annotated[str, Meta(max_length=TOKEN_MAX)]
_FileName = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
_Pattern = Annotated[str, Meta(max_length=IGNORE_PATTERN_CHARS_MAX)]
_Language = Annotated[str, Meta(max_length=LANGUAGE_CHARS_MAX, pattern=r"^[A-Za-z0-9_+#.-]*$")]


class IgnoreFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines of an ignore file, and the folder that it lies in (empty for the uppermost)."""

    folder: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    patterns: Annotated[tuple[_Pattern, ...], Meta(max_length=IGNORE_PATTERNS_MAX)]


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payload of a message that a client sends."""

    event_type: ClassVar[str]


# --- from both -------------------------------------------------------------------------------------------------------


class Renew(Message, frozen=True, kw_only=True):
    """Show a renewed token of the same account, or a one-time ticket, before ``valid_until``."""

    event_type = "live.renew"

    token: _Secret | None = None
    ticket: _Secret | None = None


class Ping(Message, frozen=True, kw_only=True):
    """Ask for a ``live.pong``."""

    event_type = "live.ping"

    nonce: Annotated[str, Meta(max_length=64)] | None = None


# --- from the host ---------------------------------------------------------------------------------------------------


class Host(Message, frozen=True, kw_only=True):
    """The first message of a host: a token with the scope `live` (or a ticket), and the session that it started.

    ``ignore`` are the ignore files of the host's folder; what they exclude is refused.
    """

    event_type = "live.host"

    session_id: UUID
    token: _Secret | None = None
    ticket: _Secret | None = None
    ignore: Annotated[tuple[IgnoreFile, ...], Meta(max_length=IGNORE_FILES_MAX)] = ()


class Open(Message, frozen=True, kw_only=True):
    """The whole text of a file: it was opened, or the server asked for a snapshot. Answered by `live.ack`."""

    event_type = "live.open"

    file: _FileName
    version: Count
    text: str
    language: _Language = ""
    sha256: Sha256 | None = None


class Patch(Message, frozen=True, kw_only=True):
    """A file went from ``base_version`` to ``version`` by these changes, one after the other.

    Each range is in the text that the changes before it have left. ``sha256_after`` is of the whole text; send it now
    and then. Answered by `live.ack`, or by `live.send_snapshot` where it does not fit.
    """

    event_type = "live.change"

    file: _FileName
    base_version: Count
    version: Count
    changes: Annotated[tuple[Change, ...], Meta(min_length=1, max_length=CHANGES_MAX)]
    sha256_after: Sha256 | None = None


class Close(Message, frozen=True, kw_only=True):
    """A file is shown no more."""

    event_type = "live.close"

    file: _FileName


class Rename(Message, frozen=True, kw_only=True):
    """A file has another name; refused as opening it under that name would be."""

    event_type = "live.rename"

    file: _FileName
    to: _FileName


class Show(Message, frozen=True, kw_only=True):
    """Where the host is: the active file (none: no file of the session), the selections, and the visible lines."""

    event_type = "live.show"

    file: _FileName | None = None
    selections: Annotated[tuple[Range, ...], Meta(max_length=SELECTIONS_MAX)] = ()
    visible: Range | None = None


class Ready(Message, frozen=True, kw_only=True):
    """Every file that the host has open was sent: viewers are shown what there is."""

    event_type = "live.ready"


class End(Message, frozen=True, kw_only=True):
    """End the session."""

    event_type = "live.end"


# --- from a viewer ---------------------------------------------------------------------------------------------------


class View(Message, frozen=True, kw_only=True):
    """The first message of a viewer: what joining gave, with a token of the account where it was an account that joined.

    ``epoch`` and ``seq`` are the last that it had, to be sent what it missed; without them it gets a snapshot.
    """

    event_type = "live.view"

    viewer_token: _Secret
    token: _Secret | None = None
    ticket: _Secret | None = None
    epoch: Count | None = None
    seq: Count | None = None


class Resync(Message, frozen=True, kw_only=True):
    """What the viewer has is not what it should be (a digest or a version differs): send a snapshot."""

    event_type = "live.resync"


class Leave(Message, frozen=True, kw_only=True):
    """The viewer goes and will not resume."""

    event_type = "live.leave"


FROM_HOST: Final[tuple[type[Message], ...]] = (Host, Open, Patch, Close, Rename, Show, Ready, End, Renew, Ping)
FROM_VIEWER: Final[tuple[type[Message], ...]] = (View, Resync, Leave, Renew, Ping)
