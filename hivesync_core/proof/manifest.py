"""The signature of an export's manifest, and what the manifest says of the proof.

The signature is a signed note whose text is one line that names the form and one with the SHA-256, in hex, of the
manifest's canonical JSON: its object without the member ``signature``, members sorted, no white space, UTF-8 (RFC 8785
for what stands in a manifest: texts, whole numbers, null).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from hivesync_core.proof.note import NoteRefused, PublicKey, SigningKey, open_note

SIGNATURE = "signature"
_FORM = "hivesync export manifest 1"


class Proofs(msgspec.Struct, frozen=True, kw_only=True):
    """What proves an export beside its manifest's signature.

    ``file`` is the proof file beside the export, ``sha256`` of its bytes in hex. ``digests`` says that the proof file
    holds the SHA-256 of each event's bytes in the export (a text for people cannot be turned back into its event).
    ``whole`` says that every event of the range is there; ``erased`` are the accounts shown as erased.
    """

    file: str
    sha256: str
    digests: bool
    whole: bool
    erased: list[str]


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 in hex that a manifest is signed by."""
    signed = {name: value for name, value in manifest.items() if name != SIGNATURE}
    canonical = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode()).hexdigest()


def manifest_signature(manifest: Mapping[str, Any], key: SigningKey) -> str:
    """The note that stands under ``signature``."""
    return key.sign(_text(manifest))


def check_manifest(manifest: Mapping[str, Any], key: PublicKey) -> None:
    """Raises ``NoteRefused`` unless the key signed the manifest as it stands."""
    signature = manifest.get(SIGNATURE)
    if not isinstance(signature, str):
        raise NoteRefused("the manifest is not signed")
    try:
        expected = _text(manifest)
    except (UnicodeEncodeError, ValueError) as error:
        raise NoteRefused("the manifest holds what no manifest holds") from error
    if open_note(signature, key) != expected:
        raise NoteRefused("the manifest was changed after it was signed, or the signature is another manifest's")


def _text(manifest: Mapping[str, Any]) -> str:
    return f"{_FORM}\n{manifest_digest(manifest)}\n"
