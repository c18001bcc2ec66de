"""Names for the identifiers that travel between features; each is a UUID on the wire and in the store."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)
ProjectId = NewType("ProjectId", UUID)
TaskId = NewType("TaskId", UUID)
StreamId = UUID

SYSTEM_ACTOR = "system"
"""The actor of an event that no person caused: a lease that ran out, a retention run."""
