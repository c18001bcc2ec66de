"""Shows an erased account as ``erased-<id>``, where it acted and wherever a payload names it (ACC-5)."""

from __future__ import annotations

import re

_QUOTED_ID = re.compile(r'"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"')


class Erasures:
    """The accounts that were erased by some position of the log, by their ids as text."""

    def __init__(self, accounts: frozenset[str] = frozenset()) -> None:
        self._accounts = accounts

    def __len__(self) -> int:
        return len(self._accounts)

    def __bool__(self) -> bool:
        return bool(self._accounts)

    def actor(self, actor: str) -> str:
        """The actor as it is shown."""
        return f"erased-{actor}" if actor in self._accounts else actor

    def payload(self, state: str) -> str:
        """The stored JSON with the ids of erased accounts marked, wherever one is a whole string."""
        return _QUOTED_ID.sub(self._shown, state)

    def _shown(self, found: re.Match[str]) -> str:
        return f'"erased-{found[1]}"' if found[1] in self._accounts else found[0]
