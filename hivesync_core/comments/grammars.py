"""The grammars: one parser for each language, from the pinned wheel of that grammar alone."""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module
from typing import NamedTuple

import tree_sitter

from hivesync_core.comments.languages import LANGUAGES
from hivesync_core.comments.scanners import CSS, DOCKERFILE, HTML, KINDS, SCSS, SQL, R, Scanner

COMMENT_KINDS = frozenset(
    {"comment", "line_comment", "block_comment", "multiline_comment", "documentation_comment", "marginalia", "Comment"}
)
MORE_COMMENT_KINDS = {"scss": frozenset({"js_comment"}), "javascript": frozenset({"html_comment"})}
"""`//` in plain CSS is no comment, though the grammar has a kind for it."""


class Grammar(NamedTuple):
    """A grammar ready to parse, or a scanner; ``name`` with its version goes into the proof."""

    name: str
    parser: tree_sitter.Parser | None
    scanner: Scanner | None
    comments: frozenset[int]
    kinds: list[str]
    wrappers: frozenset[int] = frozenset()
    """Nodes that stand around nothing but comments and what may be missing: they come and go with a comment."""
    closed: frozenset[int] = frozenset()
    """Strings that hold expressions, and what has rules of its own: a comment there is none, or in some versions only."""
    closed_openings: tuple[bytes, ...] = ()
    joined: bytes = b""
    """The sign of a line comment, where the grammar makes one node of several such lines; each line is a comment."""

    def kind(self, number: int) -> str:
        """The name of a node kind; the grammar's number for an error has no entry of its own."""
        return self.kinds[number] if number < len(self.kinds) else "ERROR"


WRAPPERS = {"xml": ("prolog",)}
CLOSED = {
    "python": ("string",),
    "hcl": ("quoted_template", "heredoc_template"),
    "php": ("heredoc", "nowdoc", "encapsed_string", "shell_command_expression"),
    "bash": (
        "heredoc_redirect",
        "heredoc_body",
        "arithmetic_expansion",
        "expansion",
        "string",
        "raw_string",
        "ansi_c_string",
    ),
    "ruby": ("string_array", "symbol_array", "heredoc_body"),
    "perl": ("quoted_word_list", "heredoc_content"),
    "csharp": ("interpolated_string_expression",),
    "swift": ("line_string_literal", "multi_line_string_literal"),
    "powershell": ("expandable_here_string_literal", "expandable_string_literal"),
    "elixir": ("sigil", "quoted_content"),
}
CLOSED_OPENINGS = {"bash": ("((", "$((", "$[", "`")}
"""How constructs begin that the grammar tells by no kind of their own, and in which `#` begins no comment."""
JOINED = {"haskell": "--"}
_SCANNERS = {"html": HTML, "r": R, "sql": SQL, "css": CSS, "scss": SCSS, "dockerfile": DOCKERFILE}


@cache
def grammar(name: str) -> Grammar:
    """The grammar of the language ``name``; loaded once."""
    package, _, function = LANGUAGES[name].module.partition(":")
    if not package:
        scanner = scanner_grammar(name)
        assert scanner is not None, "a language without a grammar has a scanner"
        return scanner
    given = getattr(import_module(package), function)()
    language = tree_sitter.Language(_capsule(given) if isinstance(given, int) else given)
    wanted = COMMENT_KINDS | MORE_COMMENT_KINDS.get(name, frozenset())
    kinds = [language.node_kind_for_id(number) or "" for number in range(language.node_kind_count)]
    comments = frozenset(number for number, kind in enumerate(kinds) if kind in wanted)
    wrappers = frozenset(number for number, kind in enumerate(kinds) if kind in WRAPPERS.get(name, ()))
    closed = frozenset(number for number, kind in enumerate(kinds) if kind in CLOSED.get(name, ()))
    openings = tuple(opening.encode() for opening in CLOSED_OPENINGS.get(name, ()))
    joined = JOINED.get(name, "").encode()
    parser = tree_sitter.Parser(language)
    return Grammar(LANGUAGES[name].grammar, parser, None, comments, kinds, wrappers, closed, openings, joined)


@cache
def scanner_grammar(name: str) -> Grammar | None:
    """The lexical reading of the language ``name``, where it has one."""
    scanner = _SCANNERS.get(name)
    return Grammar(f"{name}-scanner@1", None, scanner, frozenset(), KINDS) if scanner else None


def _capsule(address: int) -> object:
    """Older wheels hand out the bare address, which the library wants wrapped."""
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    capsule: object = make(address, b"tree_sitter.Language", None)
    return capsule
