"""Seals blobs: AES-256-GCM with a key for each, which is itself sealed with the key of the installation."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class NotOpened(Exception):
    """The key is not the one that it was sealed with, or the content was changed."""


def new_key() -> bytes:
    """A key for one blob."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, content: bytes, owner_id: UUID, sha256: bytes) -> bytes:
    """Nonce and ciphertext; whose content it is and what it hashes to is sealed in with it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, owner_id.bytes + sha256)


def open_sealed(key: bytes, sealed: bytes, owner_id: UUID, sha256: bytes) -> bytes:
    """The content; raises ``NotOpened``."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner_id.bytes + sha256)
    except InvalidTag:
        raise NotOpened("a blob does not open with the key of this installation") from None
