"""What text may be kept: it fits its limit, and every store, file and line-based export can hold it."""

from __future__ import annotations

import re

from hivesync_core.kernel.refusal import Invalid

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL's text can not hold, and lone surrogates, which UTF-8 can not."""

_NOT_ON_ONE_LINE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters and line ends too: a title with a line end would forge lines in exports and logs."""


class TextRefused(Invalid):
    """Text that can not be kept as it is; the facts name the ``field``, the ``reason`` and the limit."""

    code = "text.refused"
    title = "The text can not be kept as it is"


def one_line(text: str, field: str, *, chars_max: int) -> str:
    """``text`` without the white space around it; refused when blank, too long, or not on one line."""
    stripped = text.strip()
    if not stripped:
        raise TextRefused(f"{field} must not be blank.", field=field, reason="blank")
    _refuse_longer(stripped, field, chars_max)
    if found := _NOT_ON_ONE_LINE.search(stripped):
        raise _character_refused(field, found)
    return stripped


def many_lines(text: str, field: str, *, chars_max: int, may_be_blank: bool = False) -> str:
    """``text`` as it is; refused when too long, when not storable, or when blank and ``may_be_blank`` is not set."""
    if not may_be_blank and not text.strip():
        raise TextRefused(f"{field} must not be blank.", field=field, reason="blank")
    _refuse_longer(text, field, chars_max)
    if found := _NOT_STORABLE.search(text):
        raise _character_refused(field, found)
    return text


def fit_one_line(text: str, *, chars_max: int) -> tuple[str, bool]:
    """Text from elsewhere made to pass ``one_line``, and whether it lost characters; blank stays blank."""
    spaced = " ".join(_NOT_ON_ONE_LINE.sub(" ", text).split())
    return spaced[:chars_max].strip(), len(spaced) > chars_max


def fit_many_lines(text: str, *, chars_max: int) -> tuple[str, bool]:
    """Text from elsewhere made to pass ``many_lines``, and whether it lost characters.

    A character that can not be stored becomes U+FFFD, as a decoder would make it.
    """
    fitted = _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:chars_max])
    return fitted, len(text) > chars_max or fitted != text


def _refuse_longer(text: str, field: str, chars_max: int) -> None:
    if len(text) > chars_max:
        raise TextRefused(
            f"{field} has {len(text)} characters, {chars_max} are the most.",
            field=field,
            reason="too_long",
            chars_max=chars_max,
        )


def _character_refused(field: str, found: re.Match[str]) -> TextRefused:
    return TextRefused(
        f"{field} holds the character U+{ord(found[0]):04X}, which is not allowed there.",
        field=field,
        reason="character",
        at=found.start(),
    )
