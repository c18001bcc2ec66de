"""A file that comments may go into: whole UTF-8 text without tricks, in a known language, that its grammar can parse."""

from __future__ import annotations

import re
from typing import NamedTuple

from hivesync_core.comments.grammars import Grammar, grammar, scanner_grammar
from hivesync_core.comments.languages import LANGUAGES, Language
from hivesync_core.comments.model import FileRefused
from hivesync_core.comments.syntax import read
from hivesync_core.comments.syntax_tree import Syntax
from hivesync_core.comments.text_lines import Lines

SOURCE_BYTES_MAX = 2_000_000
ERRORS_SHARE_MAX = 0.25
"""How much of a C or C++ file the grammar may fail to understand: it sees the text before the preprocessor has run."""

_SEPARATORS = re.compile("\x85|\u2028|\u2029".encode())
_LONE_CR = re.compile(rb"\r(?!\n)")
_CONFLICT = re.compile(rb"^(?:<<<<<<<|>>>>>>>|\|\|\|\|\|\|\|)(?: |\r?$)", re.MULTILINE)
_AS_GOOD = frozenset({"dockerfile"})
_WITH_PREPROCESSOR = frozenset({"c", "cpp"})


class SourceFile(NamedTuple):
    """A file that passed: its language, lines, grammar and syntax before anything is inserted."""

    source: bytes
    language: Language
    grammar: Grammar
    syntax: Syntax
    lines: Lines


def open_source(source: bytes, language: str) -> SourceFile:
    """Read ``source``; `FileRefused` where nothing could be proven about it."""
    known = LANGUAGES.get(language)
    if known is None:
        raise FileRefused(
            "file.language_unknown",
            f"The language {language!r} is not supported, and a language is never guessed. Supported: {', '.join(LANGUAGES)}.",
        )
    _refuse_bytes(source)
    parser = grammar(language)
    syntax = read(parser, source)
    scanner = scanner_grammar(language)
    if syntax.errors and scanner is not None and not (scanned := read(scanner, source)).errors:
        parser, syntax = scanner, scanned
    _refuse_errors(source, known, syntax)
    return SourceFile(source, known, parser, syntax, Lines(source))


def lexical(file: SourceFile) -> SourceFile | None:
    """``file`` in its lexical reading, where that is as good as the grammar's; None where there is no such reading.

    The grammar of Dockerfiles does not know comments between the lines of `ENV` and `LABEL`, which the builder allows; that
    instructions and here-documents stay what they are is proven by the builder's own reading in any case.
    """
    scanner = scanner_grammar(file.language.name) if file.language.name in _AS_GOOD else None
    if scanner is None or file.grammar is scanner or (syntax := read(scanner, file.source)).errors:
        return None
    return file._replace(grammar=scanner, syntax=syntax)


def _refuse_bytes(source: bytes) -> None:
    if len(source) > SOURCE_BYTES_MAX:
        raise FileRefused(
            "file.too_large", f"The file has {len(source):,} bytes, {SOURCE_BYTES_MAX:,} are the most. Split it."
        )
    if b"\0" in source:
        raise FileRefused("file.nul", "The file holds a NUL byte: it is binary, or UTF-16. Convert it to UTF-8 text.")
    try:
        source.decode()
    except UnicodeDecodeError as error:
        raise FileRefused(
            "file.not_utf8", f"The file is not UTF-8 (byte {error.start}). Convert it to UTF-8, then ask again."
        ) from None
    if found := _LONE_CR.search(source):
        raise FileRefused(
            "file.lone_cr",
            f"Byte {found.start()} is a carriage return without a line feed: editors, parsers and git disagree about "
            "such a file's lines. Convert its line ends to LF or CRLF.",
        )
    if found := _SEPARATORS.search(source):
        raise FileRefused(
            "file.line_separator",
            f"Byte {found.start()} is a Unicode line separator (U+0085, U+2028 or U+2029): editors and parsers disagree "
            "about such a file's lines. Write it as an escape, or remove it.",
        )
    if found := _CONFLICT.search(source):
        line = source.count(b"\n", 0, found.start()) + 1
        raise FileRefused(
            "file.conflict_marker", f"Line {line} is a merge conflict marker. Resolve the conflict first."
        )


def _refuse_errors(source: bytes, language: Language, syntax: Syntax) -> None:
    if not syntax.errors:
        return
    wrong = sum(end - start for start, end in syntax.error_ranges)
    if language.name in _WITH_PREPROCESSOR and wrong <= ERRORS_SHARE_MAX * len(source):
        return
    first = min((start for start, _ in syntax.error_ranges), default=0)
    line = source.count(b"\n", 0, first) + 1
    raise FileRefused(
        "file.does_not_parse",
        f"The file does not parse as {language.name} (around line {line}), so nothing can be proven about it. "
        "Correct it, or check that its language is right.",
    )
