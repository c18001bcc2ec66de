"""Events as lines of JSON in the envelope of CloudEvents 1.0, with HiveSync's own attributes beside it.

The extension attributes are ``position``, ``version``, ``actor``, ``correlation``, ``causation`` (absent where there
is none), ``command`` and ``hash``; ``subject`` is the stream and ``data`` the payload as it was stored. The eleven
fields that an event's hash is taken over are all there.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from projections.engine.stored_text import StoredText

SOURCE = "urn:hivesync:log"
"""Where the events come from, as CloudEvents asks; ids are unique everywhere, so every installation may say the same."""

_KNOWN_TEXTS_MAX = 10_000
_LINE_ENDS_TO_SPACES = {ord("\n"): " ", ord("\r"): " "}


class LineEncoder:
    """Makes a line of each event; it remembers the topics and actors that it has seen."""

    def __init__(self) -> None:
        self._quoted: dict[str, str] = {}

    def lines(self, rows: Iterable[StoredText]) -> list[str]:
        """A line of JSON for each row, without its line end."""
        quoted = self._quoted
        lines = []
        for position, at, topic, stream, version, actor, event_id, correlation, causation, command, link, state in rows:
            kind = quoted.get(topic) or self._quote(topic)
            who = quoted.get(actor) or self._quote(actor)
            caused = f'"causation":"{causation}",' if causation else ""
            if "\n" in state or "\r" in state:
                # Within JSON a raw line end can only stand between tokens, where a space is as good.
                state = state.translate(_LINE_ENDS_TO_SPACES)
            lines.append(
                f'{{"specversion":"1.0","id":"{event_id}","source":"{SOURCE}","type":{kind},"time":"{at}",'
                f'"subject":"{stream}","datacontenttype":"application/json","position":{position},"version":{version},'
                f'"actor":{who},"correlation":"{correlation}",{caused}"command":"{command}","hash":"{link}",'
                f'"data":{state}}}'
            )
        return lines

    def _quote(self, text: str) -> str:
        if len(self._quoted) >= _KNOWN_TEXTS_MAX:
            self._quoted.clear()
        self._quoted[text] = quoted = msgspec.json.encode(text).decode()
        return quoted
