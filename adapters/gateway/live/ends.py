"""What those are told who have no place in a live session any more."""

from __future__ import annotations

from adapters.gateway.proving import Refused
from hivesync_core.live.events import EndReason, LeaveReason
from shared.socket.close_codes import CloseCode, Gone
from shared.socket.live import Ended


class SessionIsOver(Refused):
    """Somebody comes to a session that has ended; they are to be told why as those were who were there."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(CloseCode.SESSION_ENDED, reason.value)
        self.ended = Ended(reason=reason.value)


def sent_off(left: LeaveReason | None) -> Refused:
    """What a viewer is told that has left for this reason; none: it was removed."""
    match left:
        case None:
            return Refused(CloseCode.REMOVED, Gone.REMOVED)
        case LeaveReason.NOT_MEMBER:
            return Refused(CloseCode.REMOVED, Gone.NOT_MEMBER)
        case LeaveReason.LEFT:
            return Refused(CloseCode.NO_SESSION, Gone.LEFT)
        case LeaveReason.TIMED_OUT:
            return Refused(CloseCode.NO_SESSION, Gone.AWAY_TOO_LONG)
