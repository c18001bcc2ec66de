"""A file as its grammar sees it: the tokens without comments, the shape of the tree, and the comments themselves."""

from __future__ import annotations

import hashlib

import tree_sitter

from hivesync_core.comments.grammars import Grammar
from hivesync_core.comments.syntax_tree import HIDDEN, Syntax


def read(grammar: Grammar, source: bytes) -> Syntax:
    """Parse ``source``. Leaves of blanks alone (line ends that a grammar counts) are no tokens and not in the shape.

    Nor is the root, which a file of blanks alone has not.
    """
    if grammar.scanner is not None:
        return grammar.scanner.read(source)
    assert grammar.parser is not None
    tree = grammar.parser.parse(source)
    assert tree is not None, "a parser with a language and without a time limit always answers"
    return _walk(grammar, tree, source)


def _walk(grammar: Grammar, tree: tree_sitter.Tree, source: bytes) -> Syntax:
    cursor = tree.walk()
    down, right, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    tokens: list[tuple[int, int, int]] = []
    shape: list[tuple[int, int]] = []
    comments: list[tuple[int, int]] = []
    closed: list[tuple[int, int]] = []
    is_comment, wrappers, is_closed = grammar.comments, grammar.wrappers, grammar.closed
    error_ranges: list[tuple[int, int]] = []
    openings = grammar.closed_openings
    depth, reached = 0, 0
    has_error = tree.root_node.has_error
    while True:
        node = cursor.node
        assert node is not None
        kind = node.kind_id
        if has_error and (node.is_error or node.is_missing):
            error_ranges.append((node.start_byte, node.end_byte))
        if kind in is_comment:
            start, end = node.start_byte, node.end_byte
            if start > reached:
                _hidden(source, reached, start, tokens)
            comments.extend(_lines(source, start, end, grammar.joined) if grammar.joined else [(start, end)])
            reached = max(reached, end)
        elif down():
            if kind in is_closed or (openings and source.startswith(openings, node.start_byte)):
                closed.append((node.start_byte, node.end_byte))
            if depth and kind not in wrappers:
                shape.append((depth, kind))
            depth += 1
            continue
        else:
            start, end = node.start_byte, node.end_byte
            if start > reached:
                _hidden(source, reached, start, tokens)
            if start < end and not source[start:end].isspace():
                shape.append((depth, kind))
                tokens.append((kind, start, end))
            reached = max(reached, end)
        while not right():
            if not up():
                _hidden(source, reached, len(source), tokens)
                return Syntax(len(error_ranges), error_ranges, tokens, shape, comments, closed)
            depth -= 1


def _lines(source: bytes, start: int, end: int, sign: bytes) -> list[tuple[int, int]]:
    """The lines of a node that is several line comments; the node itself where it is anything else."""
    found, at = [], start
    for line in source[start:end].split(b"\n"):
        text = line.strip()
        if text:
            begin = at + len(line) - len(line.lstrip())
            found.append((begin, begin + len(text)))
        at += len(line) + 1
    is_lines = all(source.startswith(sign, begin) for begin, _ in found)
    return found if is_lines else [(start, end)]


def _hidden(source: bytes, start: int, end: int, tokens: list[tuple[int, int, int]]) -> None:
    between = source[start:end]
    bare = between.strip()
    if bare:
        start += len(between) - len(between.lstrip())
        tokens.append((HIDDEN, start, start + len(bare)))


def tokens_sha256(grammar: Grammar, source: bytes, syntax: Syntax) -> str:
    """SHA-256 over every token as `kind NUL length NUL bytes`, the length in decimal digits.

    Comments that a tool or a compiler reads are part of it: what is hashed is everything but plain comments.
    """
    digest = hashlib.sha256()
    for kind, start, end in syntax.tokens:
        name = "" if kind == HIDDEN else grammar.kind(kind)
        digest.update(b"%s\0%d\0%s" % (name.encode(), end - start, source[start:end]))
    return digest.hexdigest()
