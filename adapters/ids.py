"""Where times and identifiers come from: the machine's clock and UUIDs of version 7 (RFC 9562)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat


def uuid7() -> UUID:
    """A new identifier; later ones sort after earlier ones."""
    return uuid_utils.compat.uuid7()


def now() -> datetime:
    """The time now in UTC."""
    return datetime.now(UTC)
