"""Which new passwords are refused: those that a guesser tries first (NIST SP 800-63B-4, section 3.1.1.2).

Fifteen characters at least, 128 at most, no rules of composition. The list of common passwords is the ranked
dictionary of zxcvbn (30,000 entries from leaks). Since few entries of any list are fifteen characters long, a password
is also refused when it is nothing but such an entry, repeated, padded with a run of neighbouring keys, or decorated
with the person's own name. Passphrases of several words pass: the whole is compared, not its parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

PASSWORD_LENGTH_MIN = 15
PASSWORD_LENGTH_MAX = 128
PASSWORD_INPUT_MAX = 1024
"""Characters that are looked at at all, before normalisation."""

SERVICE_WORDS = ("hivesync", "hivemind")

_WALK_MIN = 4
_FREE_MIN = 5
"""A password has to hold so many characters that are neither a walk nor the person's own words."""

_CONTEXT_WORD_MIN = 3


def normalised(password: str) -> str:
    """The password as it is counted and hashed: NFKC, so that every keyboard gives the same (section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def objection(password: str, *, about: Iterable[str] = ()) -> str | None:
    """Why a new password is refused, as a sentence for its owner, or none.

    ``about`` is what is known of the owner: name and e-mail address.
    """
    if len(password) > PASSWORD_INPUT_MAX:
        return _TOO_LONG
    chosen = normalised(password)
    if len(chosen) < PASSWORD_LENGTH_MIN:
        return f"The password needs at least {PASSWORD_LENGTH_MIN} characters; a few words in a row do well."
    if len(chosen) > PASSWORD_LENGTH_MAX:
        return _TOO_LONG
    if any(unicodedata.category(character) in ("Cs", "Cn") for character in chosen):
        return "The password has a character that Unicode does not define, so another device may type it differently."
    folded = chosen.casefold()
    if folded in common_passwords():
        return "This is one of the passwords that everybody tries first."
    if _repeats(folded):
        return "The password is the same piece over and over."
    return _too_little_left(folded, _context_words(about))


_TOO_LONG = f"The password can have at most {PASSWORD_LENGTH_MAX} characters."


def _too_little_left(folded: str, context: tuple[str, ...]) -> str | None:
    rest = _without_guessable_pieces(folded, context)
    letters = re.sub(r"[\W_]+", "", rest)
    if len(letters) < _FREE_MIN:
        return "The password is made of neighbouring keys, of your own name, or of the name of this service."
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    if any(_repeated_piece(text) in common_passwords() for text in (letters, letters.rstrip("0123456789"), core)):
        return "The password is one of the most used ones, made longer."
    return None


@cache
def common_passwords() -> frozenset[str]:
    """The passwords that are tried first, folded as they are compared."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    return frozenset(normalised(word).casefold() for word in FREQUENCY_LISTS["passwords"])


@cache
def _neighbours() -> frozenset[str]:
    """Pairs of characters that lie side by side on a keyboard, or follow each other in the alphabet or in counting."""
    from zxcvbn.adjacency_graphs import ADJACENCY_GRAPHS  # type: ignore[import-untyped]

    pairs = {
        key + near
        for graph in ("qwerty", "keypad")
        for key, places in ADJACENCY_GRAPHS[graph].items()
        for place in places
        if place
        for near in place
    }
    for first in [*range(ord("a"), ord("z")), *range(ord("0"), ord("9"))]:
        pairs |= {chr(first) + chr(first + 1), chr(first + 1) + chr(first)}
    pairs |= {"90", "09"}
    return frozenset(pairs)


def _without_guessable_pieces(text: str, context: tuple[str, ...]) -> str:
    """``text`` without walks over the keyboard, runs of one character, and the owner's own words."""
    neighbours = _neighbours()
    rest: list[str] = []
    at = 0
    while at < len(text):
        word = next((w for w in context if text.startswith(w, at)), "")
        end = at + 1
        while end < len(text) and (text[end] == text[end - 1] or text[end - 1] + text[end] in neighbours):
            end += 1
        walk = end - at if end - at >= _WALK_MIN else 0
        step = max(len(word), walk)
        if step == 0:
            rest.append(text[at])
            step = 1
        at += step
    return "".join(rest)


def _context_words(about: Iterable[str]) -> tuple[str, ...]:
    """The words of a name and of an address, the longest first."""
    words = set(SERVICE_WORDS)
    for text in about:
        folded = normalised(text).casefold()
        parts = [part for part in re.split(r"[\W_]+", folded) if part]
        words.update(parts)
        words.update(("".join(parts), folded))
    return tuple(sorted((word for word in words if len(word) >= _CONTEXT_WORD_MIN), key=len, reverse=True))


def _repeats(text: str) -> bool:
    return _period(text) * 2 <= len(text)


def _repeated_piece(text: str) -> str:
    """The piece that ``text`` repeats, or all of it where it does not."""
    return text[: _period(text)] if _repeats(text) else text


def _period(text: str) -> int:
    """The length of the shortest piece that, repeated and perhaps cut off, gives ``text`` (Knuth, Morris, Pratt)."""
    if not text:
        return 0
    border = [0] * len(text)
    length = 0
    for at in range(1, len(text)):
        while length and text[at] != text[length]:
            length = border[length - 1]
        if text[at] == text[length]:
            length += 1
        border[at] = length
    return len(text) - border[-1]
