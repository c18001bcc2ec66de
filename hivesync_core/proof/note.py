"""Signed notes (c2sp.org/signed-note): text that anyone can read and that Ed25519 keys have signed."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_DASH = "\N{EM DASH} "
NOTE_CHARS_MAX = 100_000
SIGNATURES_MAX = 16


class NoteRefused(Exception):
    """A note that the key did not sign, or that is not a note; the message says which."""


class KeyRefused(Exception):
    """Text that is not a key."""


class PublicKey(NamedTuple):
    """A key that signatures are checked with; its name says whose log it is."""

    name: str
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, line feed, algorithm and key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """The key on one line, as verifiers of transparency logs take it: ``name+id+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key of a line ``name+id+base64``; raises ``KeyRefused``."""
        name, raw, key_id = _parse_key(text.strip().split("+", 2), "a public key reads name+id+base64")
        try:
            Ed25519PublicKey.from_public_bytes(raw)
        except ValueError as error:
            raise KeyRefused(f"not an Ed25519 key: {error}") from error
        key = cls(name, raw)
        if key.key_id != key_id:
            raise KeyRefused("the key does not belong to its name: a character of it was changed")
        return key


class SigningKey(NamedTuple):
    """A key that signs; the public key goes by the same name."""

    name: str
    seed: bytes

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signs."""
        return PublicKey(self.name, self._private().public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The text, which ends in a line feed, with this key's signature under it."""
        assert text.endswith("\n"), "a note's text ends in a line feed"
        signature = self.public.key_id + self._private().sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {b64encode(signature).decode()}\n"

    def secret_text(self) -> str:
        """The key on one line ``PRIVATE+KEY+name+id+base64``; whoever has it can sign."""
        return f"PRIVATE+KEY+{self.name}+{self.public.key_id.hex()}+{b64encode(_ED25519 + self.seed).decode()}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """The key of a line ``PRIVATE+KEY+name+id+base64``; raises ``KeyRefused``, whose message never holds the key."""
        parts = text.strip().split("+", 4)
        if parts[:2] != ["PRIVATE", "KEY"]:
            raise KeyRefused("a signing key begins with PRIVATE+KEY+")
        name, seed, key_id = _parse_key(parts[2:], "a signing key reads PRIVATE+KEY+name+id+base64")
        key = cls(name, seed)
        if key.public.key_id != key_id:
            raise KeyRefused("the signing key does not belong to its name: a character of it was changed")
        return key

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def is_key_name(name: str) -> bool:
    """Whether signature lines can carry the name: not empty, no white space, no plus, no control character."""
    return bool(name) and name.isprintable() and "+" not in name and not any(char.isspace() for char in name)


def open_note(note: str, key: PublicKey) -> str:
    """The text of a note that the key signed; raises ``NoteRefused``. Signatures of other keys do not count."""
    if len(note) > NOTE_CHARS_MAX:
        raise NoteRefused("longer than any note that was signed")
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise NoteRefused("not a signed note: no signature under the text")
    text += "\n"
    lines = tail[:-1].split("\n")
    if any(char < " " for char in note.replace("\n", "")) or len(lines) > SIGNATURES_MAX:
        raise NoteRefused("not a signed note")
    ours = [found for line in lines if (found := _signature(line, key)) is not None]
    if not ours:
        raise NoteRefused(f"not signed by {key.name} with the key {key.key_id.hex()}")
    for signature in ours:
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise NoteRefused(f"the signature by {key.name} is forged or its text was changed") from error
    return text


def _signature(line: str, key: PublicKey) -> bytes | None:
    """The signature of a line, where it is by this key; raises ``NoteRefused`` where it is no signature line."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise NoteRefused("not a signed note: a line under the text is no signature")
    raw = decode_base64(encoded)
    if raw is None or len(raw) <= _KEY_ID_BYTES:
        raise NoteRefused("not a signed note: a signature is not base64")
    if name != key.name or raw[:_KEY_ID_BYTES] != key.key_id:
        return None
    return raw[_KEY_ID_BYTES:]


def _parse_key(parts: list[str], form: str) -> tuple[str, bytes, bytes]:
    if len(parts) != 3 or not is_key_name(parts[0]):
        raise KeyRefused(form)
    name, key_id, encoded = parts
    raw = decode_base64(encoded)
    if raw is None or raw[:1] != _ED25519 or len(raw) != 33:
        raise KeyRefused(f"{form}, of an Ed25519 key")
    try:
        return name, raw[1:], bytes.fromhex(key_id)
    except ValueError as error:
        raise KeyRefused(form) from error


def decode_base64(text: str) -> bytes | None:
    """The bytes of base64 that has one reading; none for any other text, spare bits that are set included."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if b64encode(raw).decode() == text else None
