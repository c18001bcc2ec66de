"""The words of an event that a person looks for first: its title, name, reason or text, on one line."""

from __future__ import annotations

import msgspec

SUMMARY_CHARS_MAX = 200

_LOOKED_AT_MAX = 3 * SUMMARY_CHARS_MAX // 2


class _Words(msgspec.Struct):
    """The fields of payloads that hold words; others are passed over without being decoded."""

    title: str = ""
    name: str = ""
    reason: str = ""
    text: str = ""
    cause: str = ""


_decode = msgspec.json.Decoder(_Words).decode


def summary_of(state: str) -> str:
    """The first of the words that a payload has, or nothing."""
    try:
        words = _decode(state)
    except msgspec.DecodeError:
        return ""
    text = words.title or words.name or words.reason or words.text or words.cause
    return " ".join(text[:_LOOKED_AT_MAX].split())[:SUMMARY_CHARS_MAX] if text else ""
