"""`hivesync serve` whose live sessions go wrong as no bug is meant to: errors that quote the text, or a log that does.

A patch that holds ``FAILS`` raises an error with its text in the middle of the room; so does every snapshot of a session
that shows a file named ``BROKEN``. With ``LEAKS`` set in the environment each patch is logged: a leak that must be found.
"""

from __future__ import annotations

import logging
import os
import sys

from adapters.cli.main import main
from adapters.gateway.live.room import Picture, Room
from shared.socket.live import Patch

FAILS = "fails here"
BROKEN = "broken.py"
LEAKS = "HIVESYNC_FAULTS_LEAKS"

_change, _picture = Room.change, Room.picture


def _changed(room: Room, patch: Patch) -> None:
    text = "".join(change.text for change in patch.changes)
    if os.environ.get(LEAKS):
        logging.getLogger("adapters.gateway.live").warning("changed %s", text)
    if FAILS in text:
        raise RuntimeError(f"the room cannot go on with {text!r}")
    _change(room, patch)


def _pictured(room: Room) -> Picture:
    if BROKEN in room.files:
        raise RuntimeError(f"nobody can draw {room.files[BROKEN].document.text!r}")
    return _picture(room)


if __name__ == "__main__":
    Room.change, Room.picture = _changed, _pictured  # type: ignore[method-assign]
    sys.exit(main(["serve"]))
