"""What the process that replays is told, and what it tells back: one line of JSON each."""

from __future__ import annotations

from uuid import UUID

import msgspec

from shared.api.replay import Mode, Replayed, ReplayProgress


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Replay these read models of the installation at ``url``, in turn."""

    url: str
    mode: Mode
    projections: tuple[str, ...]
    to: str | None
    by: UUID


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is, what came of one read model, or why it cannot go on."""

    progress: ReplayProgress | None = None
    result: Replayed | None = None
    failure: str | None = None
