"""What the live commands say: sentences for people, or one JSON object a line for programs."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

import msgspec

_UNSHOWN: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """Text of somebody else as a terminal may get it: what would steer the terminal or turn text round is shown, not sent."""
    return _UNSHOWN.sub(lambda found: _stand_in(found[0]), text)


def _stand_in(sign: str) -> str:
    if sign == "\x7f":
        return "\u2421"
    return chr(0x2400 + ord(sign)) if sign < " " else f"<U+{ord(sign):04X}>"


class Speech:
    """Says what happens on standard output; with ``as_json`` as JSON Lines, each with an ``event``."""

    def __init__(self, *, as_json: bool, command: str) -> None:
        self.as_json, self._command = as_json, command

    def tell(self, event: str, text: str | None, /, **facts: Any) -> None:
        """Tell that something happened; with no ``text`` it is for programs alone."""
        if self.as_json:
            print(msgspec.json.encode({"event": event, **facts}, enc_hook=str).decode(), flush=True)
        elif text is not None:
            print(shown(text), flush=True)

    def note(self, event: str, text: str, /, **facts: Any) -> None:
        """Tell of what is beside the point: on standard error, for people."""
        if self.as_json:
            self.tell(event, None, message=text, **facts)
        else:
            print(f"{self._command}: {shown(text)}", file=sys.stderr, flush=True)
