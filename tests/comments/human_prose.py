"""Ordinary prose that people wrote: the comments of real files that are neither documentation, nor notices, nor code."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from hivesync_core.comments import LANGUAGES, FileRefused
from hivesync_core.comments.model import CommentRefused
from hivesync_core.comments.shape import shaped
from hivesync_core.comments.source_file import SourceFile, open_source
from hivesync_core.comments.text_rules import refuse_text
from tests.comments.real_files import find

LANGUAGES_OF_PROSE = frozenset(
    {
        "python",
        "javascript",
        "typescript",
        "c",
        "cpp",
        "go",
        "ruby",
        "php",
        "perl",
        "bash",
        "java",
        "css",
        "lua",
        "yaml",
        "sql",
        "r",
    }
)
_WORD = re.compile(r"[A-Za-z']{2,}")
_STARTS = re.compile(r"[A-Za-z\"'(]")
_NOTICE = re.compile(r"copyright|licen[sc]e|spdx|warranty|all rights", re.IGNORECASE)
WORDS_MIN = 4
LETTERS_SHARE_MIN = 0.75
BLOCK_LINES_MAX = 12


class Prose(NamedTuple):
    """One comment of a person."""

    language: str
    path: str
    text: str
    file: SourceFile


def prose(each: int, chance: random.Random, *, near: bool = False) -> Iterator[Prose]:
    """Comments on lines of their own, below the head of their file, that are mostly words and begin with one."""
    for language, files in find(set(LANGUAGES_OF_PROSE), each=each, chance=chance, near=near).items():
        for path, content in files:
            try:
                file = open_source(content, language)
            except FileRefused:
                continue
            seen: set[str] = set()
            for text in _blocks(file):
                if _is_prose(text) and text not in seen:
                    seen.add(text)
                    yield Prose(language, path, text, file)


def refusal(one: Prose) -> CommentRefused | None:
    """Why the rules of shape and text refuse it; None where they do not."""
    try:
        refuse_text(shaped({"type": "inline", "line": 1, "content": one.text}, 1).content, one.file)
    except CommentRefused as refused:
        return refused
    return None


def counted(each: int, chance: random.Random, *, near: bool = False) -> tuple[Counter[str], Counter[str]]:
    """How many there are of each language, and how many are refused for each cause."""
    found: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for one in prose(each, chance, near=near):
        found[one.language] += 1
        if refused := refusal(one):
            causes[refused.code] += 1
    return found, causes


def _is_prose(text: str) -> bool:
    """Judged without the rules that are measured: by its words and letters alone."""
    plain = sum(sign.isalpha() or sign.isspace() for sign in text)
    return (
        bool(_STARTS.match(text))
        and len(_WORD.findall(text)) >= WORDS_MIN
        and plain >= LETTERS_SHARE_MIN * len(text)
        and not _NOTICE.search(text)
    )


def _blocks(file: SourceFile) -> Iterator[str]:
    """Line comments that follow one another are one text; a block comment is one; documentation comments are none."""
    lines, marker = file.lines, LANGUAGES[file.language.name].line_marker
    rows: list[str] = []
    last = 0
    for number, (start, end) in enumerate(file.syntax.comments):
        line = lines.at(start)
        text = file.source[start:end].decode()
        if number == 0 or lines.text(line)[: start - lines.start(line)].strip():
            continue
        if rows and line != last + 1:
            yield "\n".join(rows).strip()
            rows = []
        if marker and text.startswith(marker) and text[len(marker) :][:1] in ("", " "):
            rows.append(text[len(marker) :].strip())
            last = line
        elif text.startswith("/* ") and text.count("\n") < BLOCK_LINES_MAX:
            yield "\n".join(re.sub(r"^\s*\*? ?", "", row) for row in text[2:-2].split("\n")).strip()
    if rows:
        yield "\n".join(rows).strip()
