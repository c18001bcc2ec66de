"""The shape of a comment as it comes: a JSON object of which nothing is taken for granted."""

from __future__ import annotations

from hivesync_core.comments.model import Comment, CommentRefused

CONTENT_CHARS_MAX = 2_000
CONTENT_LINES_MAX = 20
WORD_CHARS_MAX = 200
_KEYS = ({"type", "target", "content"}, {"type", "line", "content"})


def shaped(raw: object, lines: int) -> Comment:
    """``raw`` as a `Comment` in a file of so many lines; the line is `target.line`, or `line` in the flat form."""
    if isinstance(raw, Comment):
        raw = {"type": raw.type, "line": raw.line, "content": raw.content}
    if not isinstance(raw, dict) or set(raw) not in _KEYS:
        raise CommentRefused(
            "shape.keys", 'A comment is an object with exactly "type", "target" and "content"; nothing more is taken.'
        )
    kind = raw["type"]
    if not isinstance(kind, str) or kind not in ("inline", "header"):
        raise CommentRefused("shape.type", 'The type of a comment is "inline" or "header".')
    line = _line(raw["target"] if "target" in raw else {"line": raw["line"]}, lines)
    return Comment(type="header" if kind == "header" else "inline", line=line, content=_content(raw["content"]))


def _line(target: object, lines: int) -> int:
    if not isinstance(target, dict) or set(target) != {"line"}:
        raise CommentRefused("shape.target", 'The target of a comment is an object with exactly "line".')
    line = target["line"]
    if isinstance(line, bool) or not isinstance(line, int):
        raise CommentRefused("shape.line", "The line of a comment is a whole number.")
    if not 1 <= line <= lines:
        raise CommentRefused(
            "shape.line_range",
            f"Line {line} is not in the file, which has {lines} lines. Give one from 1 to {lines}."
            if lines
            else "The file is empty: it has no line that a comment could stand above.",
        )
    return line


def _content(content: object) -> str:
    if not isinstance(content, str):
        raise CommentRefused("shape.content", "The content of a comment is text.")
    text = content.replace("\r\n", "\n")
    if not text.strip():
        raise CommentRefused("shape.blank", "The comment says nothing.")
    if len(text) > CONTENT_CHARS_MAX:
        raise CommentRefused(
            "shape.too_long", f"The comment has {len(text)} characters, {CONTENT_CHARS_MAX} are the most. Shorten it."
        )
    if text.count("\n") >= CONTENT_LINES_MAX:
        raise CommentRefused(
            "shape.too_many_lines",
            f"The comment has {text.count(chr(10)) + 1} lines, {CONTENT_LINES_MAX} are the most. Shorten it.",
        )
    if any(len(word) > WORD_CHARS_MAX for word in text.split()):
        raise CommentRefused("shape.long_word", f"A word has more than {WORD_CHARS_MAX} characters: that is not prose.")
    return text
