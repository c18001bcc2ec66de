"""Which characters a comment may hold: those that a reader sees, in an order that a reader sees.

Ranges are spelled out, so that a client in another language, with other Unicode tables, gives the same verdict.
"""

from __future__ import annotations

import re
import unicodedata

from hivesync_core.comments.model import CommentRefused

STACKED_MARKS_MAX = 4

_INVISIBLE = re.compile(
    "[\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UNASSIGNABLE = re.compile(
    "[\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_JOINER = re.compile("[\u200c\u200d]")
_JOINING = re.compile(
    "[\u0600-\u06ff\u0700-\u074f\u0750-\u077f\u0780-\u07bf\u0860-\u086f\u08a0-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff"
    "\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefe]"
)
_VIRAMA = re.compile("[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca]")
"""Signs that take a vowel away: a joiner behind one shapes the letter before it, at a word's end too."""
_PICTOGRAPH = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_EMOJI_JOINED = re.compile(f"[{_PICTOGRAPH}\ufe0f]\u200d(?=[{_PICTOGRAPH}])")
_SELECTOR = re.compile("[\ufe0e\ufe0f]")
_SELECTED = re.compile(f"[#*0-9{_PICTOGRAPH}][\ufe0e\ufe0f]")

_LATIN = "A-Za-z\xaa\xba\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0250-\u02af\u1e00-\u1eff\u2c60-\u2c7f\ua722-\ua7ff\uff21-\uff3a\uff41-\uff5a"
_LOOKALIKE = "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f\u0531-\u058f\ufb13-\ufb17\u13a0-\u13ff\uab70-\uabbf"
_MARK = "\u0300-\u036f"
_MIXED = re.compile(f"[{_LATIN}][\\w{_MARK}]*[{_LOOKALIKE}]|[{_LOOKALIKE}][\\w{_MARK}]*[{_LATIN}]")

_DRESSED = re.compile(
    "[\u00a0\u2000-\u200a\u202f\u205f\u3000\u017f\u212a\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]"
)
"""Latin letters in another dress (long s, the Kelvin sign, full width, mathematical) and wide blanks: patterns miss or mistake them."""


def plain_letters(line: str) -> str:
    """``line`` with its dressed Latin letters and wide blanks as plain ones, for whoever searches it for words."""
    return _DRESSED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), line)


def refuse_characters(content: str) -> None:
    """Raise `CommentRefused` where a character hides, reorders, or poses as another. Line ends are LF."""
    if found := _CONTROL.search(content):
        raise _refused("text.control", found[0], "a control character, which hides or moves text")
    if found := _BIDIRECTIONAL.search(content):
        raise _refused(
            "text.bidirectional", found[0], "a direction mark, which makes text read differently than it is stored"
        )
    if found := _UNASSIGNABLE.search(content):
        raise _refused(
            "text.noncharacter", found[0], "no character that text may hold (surrogate, private use, noncharacter)"
        )
    if found := _INVISIBLE.search(content):
        raise _refused("text.invisible", found[0], "an invisible character, or one that only formats others")
    _refuse_joiners(content)
    if found := _MIXED.search(content):
        raise CommentRefused(
            "text.mixed_script",
            f"A word mixes Latin letters with letters of another script that look like them ({found[0]!r}). "
            "Write the word in one script.",
        )
    _refuse_stacks(content)


def _refuse_joiners(content: str) -> None:
    """Joiners stand between letters that join, or in an emoji; selectors behind what has two forms."""
    emoji = {found.end() - 1 for found in _EMOJI_JOINED.finditer(content)}
    for found in _JOINER.finditer(content):
        at = found.start()
        between = _JOINING.match(content[at - 1 : at]) and _JOINING.match(content[at + 1 : at + 2])
        if not between and not _VIRAMA.match(content[at - 1 : at]) and at not in emoji:
            raise _refused("text.joiner", found[0], "an invisible joiner where nothing joins")
    selected = {found.end() - 1 for found in _SELECTED.finditer(content)}
    for found in _SELECTOR.finditer(content):
        if found.start() not in selected:
            raise _refused("text.invisible", found[0], "an invisible variation selector where nothing varies")


def _refuse_stacks(content: str) -> None:
    stacked = 0
    for sign in content:
        stacked = stacked + 1 if sign > "\u02ff" and unicodedata.category(sign) in ("Mn", "Me") else 0
        if stacked > STACKED_MARKS_MAX:
            raise CommentRefused(
                "text.stacked_marks", f"More than {STACKED_MARKS_MAX} marks are stacked on one letter. Remove them."
            )


def _refused(code: str, sign: str, what: str) -> CommentRefused:
    return CommentRefused(code, f"The comment holds U+{ord(sign):04X}, {what}. Remove it.")
