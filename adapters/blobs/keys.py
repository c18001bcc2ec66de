"""The key that seals the keys of blobs: given by a setting, or made at the first start and kept in the data folder."""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path
from typing import Final

from adapters.blobs.sealing import KEY_BYTES
from adapters.durable_files import ReadableByOthers, kept_key
from shared.settings import Settings

KEY_FILE: Final = "blobs.key"


class BlobKeyProblem(Exception):
    """There is no key to seal blobs with; the message says what to do."""


def blob_key(settings: Settings) -> bytes:
    """The key of this installation, the same on every node. Raises ``BlobKeyProblem``."""
    if settings.blob_key:
        return _parsed(settings.blob_key, "HIVESYNC_BLOB_KEY")
    path = Path(settings.data_dir) / KEY_FILE
    try:
        return _parsed(kept_key(path, _new_key), str(path))
    except ReadableByOthers as error:
        raise BlobKeyProblem(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BlobKeyProblem(
            f"no key for blobs can be kept in {settings.data_dir} ({error}): let it be written, or set HIVESYNC_BLOB_KEY"
        ) from error


def _parsed(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BlobKeyProblem(f"{where} holds no key: {KEY_BYTES} random bytes in base64 are wanted")
    return key


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
