"""Random secrets: how they look, how they are told apart, and the hash under which they are kept.

A token is a prefix that says what it is, 256 random bits, and a checksum. The prefix and the checksum let a secret
scanner find a leaked one without false alarms, and let a forged one be turned away before anybody asks the database.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Literal
from zlib import crc32

Prefix = Literal["hsa_", "hsr_", "hsp_", "hst_", "hsi_", "hsu_", "hsc_", "hsd_", "hsl_", "hsv_"]

ACCESS: Prefix = "hsa_"
REFRESH: Prefix = "hsr_"
PERSONAL: Prefix = "hsp_"
TICKET: Prefix = "hst_"
INVITATION: Prefix = "hsi_"
SET_UP: Prefix = "hsu_"
CODE: Prefix = "hsc_"
DEVICE: Prefix = "hsd_"
LIVE_INVITE: Prefix = "hsl_"
LIVE_VIEWER: Prefix = "hsv_"

SECRET_BYTES = 32
_BODY_LENGTH = 43
_CHECKSUM_LENGTH = 6
TOKEN_LENGTH = 4 + _BODY_LENGTH + _CHECKSUM_LENGTH
"""Characters of every token: prefix, body, checksum."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters that are hard to mistake and make no words (RFC 8628, section 6.1)."""

USER_CODE_LENGTH = 8


def new_token(prefix: Prefix) -> str:
    """A new secret of 256 random bits."""
    head = prefix + _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), _BODY_LENGTH)
    return head + _checksum(head)


def is_token(text: str, *prefixes: Prefix) -> bool:
    """Whether ``text`` has the form of such a token; it says nothing about whether it is good."""
    return (
        len(text) == TOKEN_LENGTH
        and text[:4] in prefixes
        and text.isascii()
        and text[-_CHECKSUM_LENGTH:] == _checksum(text[:-_CHECKSUM_LENGTH])
    )


def digest(token: str) -> bytes:
    """The hash under which a secret is kept: SHA-256, 32 bytes.

    A fast hash is right here: there is nothing to guess in 256 random bits.
    """
    return sha256(token.encode()).digest()


def new_user_code() -> str:
    """A code for a person to type, as it is kept: eight letters, 34 bits (RFC 8628, section 6.1)."""
    return "".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LENGTH))


def shown_user_code(code: str) -> str:
    """A user code as it is shown: two groups of four."""
    return f"{code[:4]}-{code[4:]}"


def typed_user_code(text: str) -> str:
    """What somebody typed, as it is kept: without the signs between, in capitals."""
    return "".join(letter for letter in text.upper() if letter in USER_CODE_ALPHABET)[: USER_CODE_LENGTH + 1]


def _checksum(head: str) -> str:
    return _base62(crc32(head.encode("ascii", "replace")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
