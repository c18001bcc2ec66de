"""Python's own reading of a Python file."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings


def python_ast(source: bytes) -> str | None:
    """The syntax tree with type comments, without positions; None where this Python cannot parse the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, type_comments=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for ignore in tree.type_ignores:
        if isinstance(ignore, ast.TypeIgnore):
            ignore.lineno = 0
    try:
        return ast.dump(tree)
    except RecursionError:
        return None


def python_tokens(source: bytes) -> list[tuple[int, str]] | None:
    """The tokens without comments and blank lines; None where this Python cannot read the file."""
    skipped = (tokenize.COMMENT, tokenize.NL)
    try:
        return [
            (token.type, token.string)
            for token in tokenize.tokenize(io.BytesIO(source).readline)
            if token.type not in skipped
        ]
    except (SyntaxError, tokenize.TokenError, ValueError):
        return None
