"""How a comment is written: on lines of its own, above its target, in the file's own syntax, indentation and line end.

Never as a docstring, a doc comment or an attribute: those are code, or read by compilers and tools as if they were.
"""

from __future__ import annotations

from hivesync_core.comments.languages import Language
from hivesync_core.comments.model import Comment, Insertion
from hivesync_core.comments.text_lines import Lines


def render(lines: Lines, language: Language, index: int, comment: Comment, top: int) -> Insertion:
    """The insertion for ``comment``; ``top`` is the first line below what must stay at the top of the file."""
    header = comment.type == "header"
    line = top if header else comment.line
    indent = b"" if header or line > len(lines) else lines.indentation(line)
    ending = lines.end_of_line(min(line, len(lines)))
    text = b"".join(indent + row + ending if row else ending for row in _rows(language, comment.content))
    return Insertion(index=index, offset=lines.start(line), text=text, line=line)


def _rows(language: Language, content: str) -> list[bytes]:
    rows = [row.rstrip() for row in content.strip("\n").split("\n")]
    if language.line_marker:
        return [f"{language.line_marker} {row}".rstrip().encode() for row in rows]
    opens, closes = language.block
    pad = " " * len(opens)
    first, *rest = rows
    written = [f"{opens} {first}", *(f"{pad} {row}".rstrip() for row in rest)]
    written[-1] += f" {closes}"
    return [row.encode() for row in written]
