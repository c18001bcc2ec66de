"""Comments put into real files at places chosen by chance, and judged twice: by the check, and by the language's own compiler."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hivesync_core.comments import FileRefused, check
from hivesync_core.comments.checking import Placement, render
from hivesync_core.comments.languages import LANGUAGES
from hivesync_core.comments.model import Comment
from hivesync_core.comments.proving import insert
from hivesync_core.comments.source_file import open_source
from hivesync_core.comments.text_lines import Lines
from tests.comments.oracles import Oracle

PROSE = (
    "Explains the line below.",
    "Keeps the order of the entries.",
    "Needed by callers that wait for the result.",
    "The limit was found by trying; larger values gained nothing.",
    "First the cheap checks,\nthen the expensive ones.",
    "Largest first, so that small ones fill the gaps.",
    "Falls back to the default when nothing was set.",
    "See the notes on ordering: two writers may meet here.",
    "Größe in Bytes, nicht in Zeichen.",
    "Nothing to do for an empty list (it is common).",
)
HOSTILE = (
    "*/",
    "/*",
    "-->",
    "--!>",
    "<!--",
    "<!-- <script>",
    "</script>",
    "?>",
    "<?php",
    "*)",
    "(*",
    '"',
    "'",
    "`",
    '"""',
    "'''",
    "\\",
    "??/",
    "\\u000a",
    "\\n",
    "]]",
    "--]]",
    "[[",
    "=end",
    "=begin",
    "#}",
    "{#",
    "{{ x }}",
    "{% x %}",
    "${x}",
    "#{x}",
    "$(x)",
    "@x",
    "//",
    "#",
    "--",
    "{-",
    "-}",
    "{-#",
    "#-}",
    "\r",
    "\x0b",
    "\x0c",
    "\x85",
    "\u2028",
    "\u2029",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\t",
    "end",
    "fi",
    "EOF",
    "END",
    "__END__",
    "coding: utf-16",
    "type: int",
    "\\\n",
    "\n\n",
    "\n",
    " ",
    "word",
    "the list",
    "of items",
    "is kept",
    "}",
    "{",
    "(",
    ")",
    ";",
    ":",
    "=",
    "<",
    ">",
    "&",
    "|",
    "%",
    "~",
    "^",
    "!",
    "+",
    "noqa",
    "go:build linux",
    "line 5",
    "syntax=x",
    "escape=`",
    "-*- coding: latin-1 -*-",
    "vim: set ft=c:",
    "frozen_string_literal: true",
    "<<EOF",
    "$$",
    "q(",
    "qq{",
    "%q(",
    'r#"',
    "b'",
    'f"',
    '@"',
    "#if 0",
    "#endif",
    "#!/bin/sh",
    "\\x",
    "\\0",
    "\x00",
)
"""Signs that end, open, continue or command something in one language or another."""


class Try(NamedTuple):
    """One comment in one file; ``after`` is the file as it would be if nobody checked."""

    language: str
    path: str
    comment: dict[str, object]
    is_accepted: bool
    code: str
    after: bytes


class Tally(NamedTuple):
    """What came of all tries: ``false_accepts`` are what must never be."""

    tried: Counter[str]
    judged: Counter[str]
    changing: Counter[str]
    accepted: Counter[str]
    false_accepts: list[Try]
    false_rejects: Counter[tuple[str, str]]

    @classmethod
    def empty(cls) -> Tally:
        """Nothing tried yet."""
        return cls(Counter(), Counter(), Counter(), Counter(), [], Counter())


def prose(chance: random.Random) -> str:
    """Harmless text."""
    return chance.choice(PROSE)


def hostile(chance: random.Random) -> str:
    """Text made of what ends, opens or commands something."""
    parts = [chance.choice(HOSTILE) for _ in range(chance.randint(1, 5))]
    return chance.choice(("", " ", "Note ")).join(["Keep", *parts]) if chance.random() < 0.5 else " ".join(parts)


def tries(
    language: str, path: str, source: bytes, count: int, chance: random.Random, text: object = prose
) -> Iterator[Try]:
    """Random comments at random lines of one file, each judged alone."""
    lines = len(Lines(source))
    for _ in range(count):
        kind = "header" if chance.random() < 0.08 else "inline"
        comment: dict[str, object] = {
            "type": kind,
            "target": {"line": chance.randint(1, max(1, lines))},
            "content": text(chance),
        }  # type: ignore[operator]
        yield _tried(language, path, source, comment)


def tries_at(language: str, path: str, source: bytes, line: int, content: str) -> Iterator[Try]:
    """One comment at one line."""
    yield _tried(language, path, source, {"type": "inline", "target": {"line": line}, "content": content})


def _tried(language: str, path: str, source: bytes, comment: dict[str, object]) -> Try:
    try:
        report = check(source, language, [comment])
    except FileRefused as refusal:
        return Try(language, path, comment, False, refusal.cause, naive(source, language, comment))
    code = report.refused[0].code if report.refused else ""
    after = report.after if report.accepted else naive(source, language, comment)
    return Try(language, path, comment, bool(report.accepted), code, after)


def naive(source: bytes, language: str, comment: dict[str, object]) -> bytes:
    """The file with the comment, rendered the same way, whatever it does."""
    lines = Lines(source)
    top = 1
    try:
        file = open_source(source, language)
        top = Placement(file).top
    except FileRefused:
        pass
    target = comment["target"]
    assert isinstance(target, dict)
    content = str(comment["content"]).encode("utf-8", "replace").decode()
    wanted = Comment(
        "header" if comment["type"] == "header" else "inline", min(target["line"], max(1, len(lines))), content or "x"
    )
    if not len(lines):
        return source
    return insert(source, [render(lines, LANGUAGES[language], 0, wanted, top)])


class Asked(NamedTuple):
    """A file with what was tried on it."""

    path: str
    source: bytes
    made: list[Try]


def judge(oracle: Oracle, asked: Sequence[Asked], tally: Tally) -> None:
    """Ask the oracle about every file before and after every try, all in one go: some take a second to start."""
    with tempfile.TemporaryDirectory(prefix="hivesync-held-out-") as folder:
        paths = []
        for one in asked:
            for content in (one.source, *(tried.after for tried in one.made)):
                own = Path(folder, str(len(paths)))
                own.mkdir()
                (own / Path(one.path).name).write_bytes(content)
                paths.append(own / Path(one.path).name)
        verdicts = iter(oracle(paths))
    for one in asked:
        before = next(verdicts)
        for tried in one.made:
            _count(tried, before, next(verdicts), tally)


def _count(one: Try, before: str | None, verdict: str | None, tally: Tally) -> None:
    if before is None:
        return
    tally.judged[one.language] += 1
    tally.changing[one.language] += verdict != before
    tally.accepted[one.language] += one.is_accepted
    if one.is_accepted and verdict != before:
        tally.false_accepts.append(one)
    if not one.is_accepted and verdict == before:
        tally.false_rejects[one.language, one.code] += 1
