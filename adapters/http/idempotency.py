"""The header ``Idempotency-Key``: the same key and request are one command, however often it is sent."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from adapters.http.failures import HeaderInvalid
from adapters.http.limits import IDEMPOTENCY_KEY_MAX
from hivesync_core.eventstore.records import Idempotency

HEADER = "Idempotency-Key"
_NAME = HEADER.lower().encode()


def idempotency_of(scope: Any, account_id: UUID, body: bytes) -> Idempotency | None:
    """What identifies the command, none where the client sent no key.

    A key belongs to its account. What was asked is method, path and body: the same key for something else is refused.
    Raises ``HeaderInvalid``.
    """
    key: bytes | None = None
    for name, value in scope["headers"]:
        if name == _NAME:
            if key is not None:
                raise HeaderInvalid(HEADER, "it is there more than once")
            key = value
    if key is None:
        return None
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_MAX or not all(0x20 <= byte <= 0x7E for byte in key):
        raise HeaderInvalid(HEADER, f"it must have 1 to {IDEMPOTENCY_KEY_MAX} printable ASCII characters")
    asked = sha256(f"{scope['method']} {scope['path']}\n".encode() + body).digest()
    return Idempotency(str(account_id), key.decode("ascii"), asked)
