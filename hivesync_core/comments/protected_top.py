"""What has to stay at the top of a file: shebangs, encoding lines, prologues, pragmas that count only where they are first."""

from __future__ import annotations

import re

from hivesync_core.comments.source_file import SourceFile
from hivesync_core.comments.text_lines import Lines

LOOKED_AT_LINES_MAX = 60

_SHEBANG = re.compile(rb"#!(?![ \t]*\[)|//+(?:usr/)?bin/\w")
"""In Rust, `#![` opens an attribute of the whole file. `///usr/bin/env` runs files of languages without a shebang."""
_EMACS = re.compile(rb".*-\*-")
_PYTHON_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
_FIRST = {
    "ruby": re.compile(
        rb"#.*\b(?:frozen[_-]string[_-]literal|warn[_-]indent|shareable[_-]constant[_-]value|encoding|"
        rb"coding|typed|rbs_inline)[ \t]*:",
        re.I,
    ),
    "dockerfile": re.compile(rb"[ \t]*#[ \t]*(?:syntax|escape|check)[ \t]*=", re.I),
    "csharp": re.compile(rb"#[:!]"),
    "swift": re.compile(rb"//[ \t]*swift-tools-version", re.I),
    "css": re.compile(rb"@charset\b", re.I),
    "scss": re.compile(rb"@charset\b", re.I),
    "sql": re.compile(rb"--[ \t]*(?:liquibase formatted|\+goose|migrate:|name:)", re.I),
    "yaml": re.compile(
        rb"#[ \t]*cloud-config|#cloud-|#jinja2|##[ \t]*template:|#include|#upstart-job|#part-handler|"
        rb"#[ \t]*yaml-language-server:|%"
    ),
    "toml": re.compile(rb"#:schema\b|#[ \t]*/// "),
    "haskell": re.compile(rb"--[ \t]*(?:stack|cabal)[ \t]|\{-[ \t]*(?:stack|cabal)"),
    "bash": re.compile(rb"#(?:compdef|autoload)\b"),
    "go": re.compile(rb"//go:build\b|//[ \t]*\+build\b|//go:debug\b"),
    "html": re.compile(rb"[ \t]*(?:<!doctype\b|<\?xml\b|<!--[ \t]*saved from url)", re.I),
}
"""Lines that count at the top of a file of that language; what stands above one of them among comments stays above."""
_PRAGMA = re.compile(
    rb"@(?:[\w-]*-environment|jest|vitest|flow|noflow|jsx|ts-|format|noformat|prettier|babel|providesModule|generated|bun|deno|cc_on|amd|"
    rb"relay|refresh|eslint|oncall|unittest|playwright|react|fast-check|emails|type-check)"
)
_WITH_DOCBLOCK = frozenset({"javascript", "jsx", "typescript", "tsx"})
_ABOVE = re.compile(rb"[ \t]*(?:#|//|--|$)")


def first_free_line(file: SourceFile) -> int:
    """The first line that a comment may stand above; one more than there are lines, if all of it has to stay."""
    lines, name = file.lines, file.language.name
    top = 1
    if len(lines) and _SHEBANG.match(lines.text(1)):
        top = 2
    for line in range(1, min(2, len(lines)) + 1):
        text = lines.text(line)
        if _EMACS.match(text) or (name == "python" and _PYTHON_COOKIE.match(text)):
            top = line + 1
    top = max(top, _below_leading(lines, top, _FIRST.get(name)))
    if name == "php":
        return max(top, _below_tag(lines, b"<?php"))
    if name in ("xml", "html") and file.source[: len(b"\xef\xbb\xbf<?xml")].lstrip(b"\xef\xbb\xbf").startswith(
        b"<?xml"
    ):
        top = max(top, _below_tag(lines, b"?>"))
    if name == "yaml" and lines.text(top - 1 if top > 1 else 1).startswith(b"%"):
        top = _below_document_start(lines, top)
    if name == "go" and top > 1 and top <= len(lines) and not lines.text(top).strip():
        top += 1
    if name in _WITH_DOCBLOCK:
        top = max(top, _below_docblock(file))
    return max(top, _below_front_matter(lines, name))


def _below_leading(lines: Lines, start: int, pattern: re.Pattern[bytes] | None) -> int:
    """The line below the last one among the leading comments that the pattern fits."""
    top = start
    if pattern is None:
        return top
    for line in range(start, min(len(lines), LOOKED_AT_LINES_MAX) + 1):
        text = lines.text(line)
        if pattern.match(text):
            top = line + 1
        elif not _ABOVE.match(text):
            break
    return top


def _below_tag(lines: Lines, tag: bytes) -> int:
    for line in range(1, len(lines) + 1):
        if tag in lines.text(line):
            return line + 1
    return len(lines) + 1


def _below_document_start(lines: Lines, top: int) -> int:
    for line in range(top, min(len(lines), LOOKED_AT_LINES_MAX) + 1):
        if lines.text(line).startswith(b"---"):
            return line + 1
    return top


def _below_docblock(file: SourceFile) -> int:
    """Jest, Flow and the JSX transforms read pragmas from the first comment of the file alone."""
    if not file.syntax.comments:
        return 1
    start, end = file.syntax.comments[0]
    shebang = file.source.find(b"\n") + 1 if _SHEBANG.match(file.source) else 0
    is_first = not file.source[shebang:start].removeprefix(b"\xef\xbb\xbf").strip()
    if not is_first or not _PRAGMA.search(file.source[start:end]):
        return 1
    return file.lines.at(end) + 1


def _below_front_matter(lines: Lines, name: str) -> int:
    """Static site generators take what stands between two `---` at the very top as settings."""
    if name not in ("html", "css", "scss", "vue", "svelte", "xml") or not len(lines) or lines.text(1).strip() != b"---":
        return 1
    for line in range(2, len(lines) + 1):
        if lines.text(line).strip() == b"---":
            return line + 1
    return len(lines) + 1
