"""What the server says about itself: alive, and where clients find it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Address = Annotated[str, Meta(description="An address such as `https://hivemind.hivesync.net`.")]


class Health(msgspec.Struct, frozen=True):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ConnectionRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """The backend's addresses, now and after a migration (MIG-2)."""

    current_backend_url: Address
    planned_backend_url: Address | None = None
    fallback_backend_url: Address | None = None
    grace_period: Annotated[str, Meta(description="An ISO 8601 duration.")] | None = None
    migration_pending: bool = msgspec.field(default=False, name="migration.pending")
