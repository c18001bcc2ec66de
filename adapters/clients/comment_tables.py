"""Writes the tables of the check of comments (languages, patterns) for the client that checks too: one source, two programs.

Run as `python -m adapters.clients.comment_tables`; a test compares what is stored with what would be written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hivesync_core.comments import (
    characters, code_lines, directives, grammars, magic, payload, placement, protected_top, shape, source_file, text_rules,
)  # fmt: skip
from hivesync_core.comments.directive_families import OWN_OF
from hivesync_core.comments.languages import LANGUAGES

FILE = Path(__file__).parent / "comment_check" / "src" / "tables.json"
_MODULES = (characters, code_lines, directives, magic, payload, placement, protected_top, source_file, text_rules)
_UNICODE = frozenset({"characters"})
"""Modules whose patterns have characters beyond U+FFFF, which the other program reads as such only when told to."""
_BLANKS = r" \t\n\r\f\v"


def tables() -> str:
    """What belongs into the file."""
    patterns = {module.__name__.rpartition(".")[2]: _patterns(module) for module in _MODULES}
    told = {
        "languages": {name: msgspec.to_builtins(language) for name, language in LANGUAGES.items()},
        "comment_kinds": sorted(grammars.COMMENT_KINDS),
        "more_comment_kinds": {name: sorted(kinds) for name, kinds in sorted(grammars.MORE_COMMENT_KINDS.items())},
        "wrappers": grammars.WRAPPERS,
        "closed": grammars.CLOSED,
        "closed_openings": grammars.CLOSED_OPENINGS,
        "joined": grammars.JOINED,
        "doc_lines": sorted(placement.DOC_LINES),
        "own_of": OWN_OF,
        "code_family": code_lines.FAMILY,
        "continues": sorted(placement.CONTINUES),
        "limits": {name: value for name, value in vars(shape).items() if name.endswith("_MAX")}
        | {"SOURCE_BYTES_MAX": source_file.SOURCE_BYTES_MAX, "STACKED_MARKS_MAX": characters.STACKED_MARKS_MAX},
        "patterns": patterns,
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def _patterns(module: object) -> dict[str, Any]:
    name = str(vars(module)["__name__"]).rpartition(".")[2]
    found = {}
    for key, value in vars(module).items():
        converted = _converted(value, unicode=name in _UNICODE)
        if converted is not None:
            found[key.lstrip("_")] = converted
    return found


def _converted(value: object, *, unicode: bool) -> Any:
    """A pattern, or whatever holds patterns only, in the other program's form; None for anything else."""
    if isinstance(value, re.Pattern):
        return _pattern(value, unicode=unicode)
    if isinstance(value, Mapping) and value:
        parts = {key: _converted(one, unicode=unicode) for key, one in value.items()}
        return parts if all(parts.values()) else None
    if isinstance(value, tuple) and value:
        listed = [_converted(one, unicode=unicode) for one in value]
        return listed if all(listed) else None
    return None


def _pattern(pattern: re.Pattern[Any], *, unicode: bool) -> dict[str, str]:
    is_bytes = isinstance(pattern.pattern, bytes)
    source = pattern.pattern.decode("latin-1") if is_bytes else pattern.pattern
    kept = {re.IGNORECASE: "i"}
    flags = "".join(sign for flag, sign in kept.items() if pattern.flags & flag) + ("u" if unicode else "")
    written = _Writer(source, is_bytes=is_bytes, unicode=unicode, dot_all=bool(pattern.flags & re.DOTALL)).written(
        multiline=bool(pattern.flags & re.MULTILINE)
    )
    return {"source": written, "flags": flags}


class _Writer:
    """Python's patterns in the grammar of ECMAScript, where `.`, `^`, `$` and blanks mean other things."""

    def __init__(self, source: str, *, is_bytes: bool, unicode: bool, dot_all: bool) -> None:
        self._source, self._is_bytes, self._unicode, self._dot_all = source, is_bytes, unicode, dot_all

    def written(self, *, multiline: bool) -> str:
        """The whole pattern."""
        source = self._source.replace("(?P<", "(?<")
        out: list[str] = []
        folds: list[bool] = []
        at = 0
        while at < len(source):
            sign = source[at]
            if source.startswith("(?i:", at):
                out.append("(?:")
                folds.append(True)
                at += 4
                continue
            if sign == "(":
                folds.append(bool(folds and folds[-1]))
            elif sign == ")":
                folds.pop()
            if sign == "\\":
                out.append(self._escape(source[at + 1]))
                at += 2
            elif sign == "[":
                end = self._class_end(source, at)
                out.append(self._class(source[at:end], fold=bool(folds and folds[-1])))
                at = end
            else:
                out.append(self._sign(sign, multiline=multiline, fold=bool(folds and folds[-1])))
                at += 1
        return "".join(out)

    def _sign(self, sign: str, *, multiline: bool, fold: bool) -> str:
        if sign == ".":
            return r"[\s\S]" if self._dot_all else r"[^\n]"
        if sign == "^" and multiline:
            return r"(?<![^\n])"
        if sign == "$":
            return r"(?![^\n])" if multiline else r"(?=\n?(?![\s\S]))"
        return f"[{sign.lower()}{sign.upper()}]" if fold and sign.isascii() and sign.isalpha() else sign

    def _escape(self, sign: str) -> str:
        if sign == "Z":
            return r"(?![\s\S])"
        if self._is_bytes and sign in "sS":
            return f"[{_BLANKS}]" if sign == "s" else f"[^{_BLANKS}]"
        if sign in "\"' #%&,:;<>=@!~`_-" and (self._unicode or sign != "-"):
            return sign
        return "\\" + sign

    def _class_end(self, source: str, at: int) -> int:
        end = at + 1
        end += source[end] == "^"
        end += source[end] == "]"
        while source[end] != "]":
            end += 2 if source[end] == "\\" else 1
        return end + 1

    def _class(self, text: str, *, fold: bool) -> str:
        if text in (r"[\s\S]", r"[^\s\S]"):
            return text
        body, at, out = text[1:-1], 0, []
        if body.startswith("^"):
            out.append("^")
            body = body[1:]
        while at < len(body):
            unit = body[at : at + 2] if body[at] == "\\" else body[at]
            at += len(unit)
            if unit == r"\s" and self._is_bytes:
                out.append(_BLANKS)
            elif unit == r"\w" and self._unicode:
                out.append(r"\p{L}\p{N}_")
            elif len(unit) == 2 and unit[1] in "\"' #%&,:;<>=@!~`":
                out.append(unit[1])
            else:
                out.append("\\[" if unit == "[" else unit)
        joined = "".join(out)
        if fold:
            swapped = re.sub(r"\\.", "", joined.removeprefix("^")).swapcase()
            joined += re.sub(r"[^A-Za-z-]", "", swapped) if re.search(r"[A-Za-z]", swapped) else ""
        return f"[{joined}]"


def main() -> None:
    """Write the file."""
    FILE.write_text(tables(), encoding="utf-8")


if __name__ == "__main__":
    main()
