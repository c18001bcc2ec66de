"""Why something is refused in a live session."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound


class SessionNotFound(NotFound):
    """No session has this id, or none that the asker may know of."""

    code = "live.session_not_found"
    title = "There is no such live session"


class SessionExists(Conflict):
    """The id is taken."""

    code = "live.session_exists"
    title = "The live session exists already"


class SessionOver(Conflict):
    """The session has ended; the facts name the ``reason``. Its host can start another one."""

    code = "live.session_ended"
    title = "The live session has ended"


class MayNotHost(Forbidden):
    """Owners and members of a project host live sessions in it; auditors read."""

    code = "live.may_not_host"
    title = "An auditor may not host a live session"


class NotTheHost(Forbidden):
    """Invites, removal and the end are for the session's host and the owners of its project."""

    code = "live.not_the_host"
    title = "Only the host or an owner of the project may do that"


class NoSuchInvite(NotFound):
    """The invite is unknown, has expired or was revoked; the facts name the ``reason``. Ask the host for another one."""

    code = "live.no_such_invite"
    title = "This invite lets nobody in"


class NoSuchViewer(NotFound):
    """Nobody with this id watches the session now."""

    code = "live.no_such_viewer"
    title = "There is no such viewer"


class WasRemoved(Forbidden):
    """The host has sent this account away; another session, or the host, may let it in again."""

    code = "live.was_removed"
    title = "You were removed from this live session"


class TooManyInvites(Conflict):
    """So many invites still let people in; the facts name the limit. Revoke one."""

    code = "live.too_many_invites"
    title = "The live session has as many invites as it may have"


class TooManyViewers(Conflict):
    """So many watch already; the facts name the limit."""

    code = "live.too_many_viewers"
    title = "The live session has as many viewers as it may have"


class TooManySessions(Conflict):
    """So many sessions of this host have not ended; the facts name the limit. End one."""

    code = "live.too_many_sessions"
    title = "This host has as many live sessions as it may have"


class PatternRefused(Invalid):
    """A pattern of the allow-list is none; the facts name the ``pattern``. They are written as in a .gitignore file."""

    code = "live.pattern_refused"
    title = "This is no pattern for file names"
