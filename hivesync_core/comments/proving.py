"""The proof: the file before and the file after are parsed, and everything but the inserted comments is where it was."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from hivesync_core.comments.magic import magic
from hivesync_core.comments.model import CommentRefused, Insertion, Proof
from hivesync_core.comments.natives import native_proofs
from hivesync_core.comments.source_file import SourceFile
from hivesync_core.comments.syntax import read, tokens_sha256
from hivesync_core.comments.syntax_tree import HIDDEN, Syntax


def insert(source: bytes, insertions: Sequence[Insertion]) -> bytes:
    """``source`` with all insertions, which are in the order of their offsets."""
    parts, reached = [], 0
    for insertion in insertions:
        parts += [source[reached : insertion.offset], insertion.text]
        reached = insertion.offset
    return b"".join([*parts, source[reached:]])


def refuse_inside(file: SourceFile, insertion: Insertion) -> None:
    """`CommentRefused` where the place lies within a token or a comment that is there: what any proof would find, sooner."""
    for spans in (file.syntax.comments, file.syntax.tokens):
        at = bisect_left(spans, insertion.offset, key=_start) - 1
        if at >= 0 and spans[at][-1] > insertion.offset:
            raise _not_a_comment() if spans is file.syntax.comments else _inside_text()
    if any(start < insertion.offset < end for start, end in file.syntax.closed):
        raise _inside_text()


def _start(span: tuple[int, ...]) -> int:
    return span[-2]


def prove(file: SourceFile, insertions: Sequence[Insertion]) -> tuple[Proof, bytes]:
    """The proof for all ``insertions`` together and the file with them; `CommentRefused` where one of its parts fails."""
    placed = Placed(insertions)
    after = insert(file.source, insertions)
    if placed.cut_from(after) != file.source:
        raise CommentRefused("proof.bytes", "Without the comment the file would not be what it was.")
    syntax = read(file.grammar, after)
    if syntax.errors != file.syntax.errors:
        raise CommentRefused("proof.parse_error", "With the comment the file no longer parses. Choose another line.")
    _compare_tokens(file.syntax, syntax, placed)
    _compare_comments(after, file.syntax, syntax, placed)
    if magic(file.source, file.language.name) != magic(after, file.language.name):
        raise CommentRefused(
            "proof.magic",
            "The comment would change or displace lines that tools read by their place (shebang, encoding, build tags, "
            "parser directives, data). Choose a line below them, or another wording.",
        )
    natives = native_proofs(file.source, after, file.language.name, placed)
    before_hash = tokens_sha256(file.grammar, file.source, file.syntax)
    after_hash = tokens_sha256(file.grammar, after, syntax)
    assert before_hash == after_hash, "equal kinds at shifted offsets over equal bytes have equal hashes"
    proof = Proof(
        file_sha256_before=hashlib.sha256(file.source).hexdigest(),
        file_sha256_after=hashlib.sha256(after).hexdigest(),
        tokens_sha256_before=before_hash,
        tokens_sha256_after=after_hash,
        tokens=len(syntax.tokens),
        grammar=file.grammar.name,
        insertions=tuple(insertions),
        natives=natives,
    )
    return proof, after


class Placed:
    """Where the insertions lie, and how far they move what stands behind them."""

    def __init__(self, insertions: Sequence[Insertion]) -> None:
        self.offsets = [insertion.offset for insertion in insertions]
        self.lengths = [len(insertion.text) for insertion in insertions]
        self._moved = [0, *accumulate(self.lengths)]
        self.ranges = [
            (offset + moved, offset + moved + length)
            for offset, moved, length in zip(self.offsets, self._moved, self.lengths, strict=False)
        ]
        """The inserted ranges, in the file after."""

    def shift(self, start: int, end: int) -> tuple[int, int]:
        """Where bytes ``start`` to ``end`` of the file before stand after; longer than before if an insertion splits them."""
        return start + self._moved[bisect_right(self.offsets, start)], end + self._moved[bisect_left(self.offsets, end)]

    def cut_from(self, after: bytes) -> bytes:
        """The file after without the inserted ranges."""
        parts, reached = [], 0
        for start, end in self.ranges:
            parts.append(after[reached:start])
            reached = end
        return b"".join([*parts, after[reached:]])


def _compare_tokens(before: Syntax, after: Syntax, placed: Placed) -> None:
    if len(before.tokens) != len(after.tokens):
        raise _tokens_differ()
    shift = placed.shift
    for (kind, start, end), found in zip(before.tokens, after.tokens, strict=True):
        moved_start, moved_end = shift(start, end)
        if moved_end - moved_start != end - start or found != (kind, moved_start, moved_end):
            raise _inside_text() if kind == HIDDEN or moved_end - moved_start != end - start else _tokens_differ()
    if before.shape != after.shape:
        raise CommentRefused(
            "proof.structure", "With the comment the code around it would be read differently. Choose another line."
        )


def _tokens_differ() -> CommentRefused:
    return CommentRefused(
        "proof.tokens", "The comment would change the code's tokens: there, it is no comment. Choose another line."
    )


def _inside_text() -> CommentRefused:
    return CommentRefused(
        "proof.inside_token",
        "The line lies inside a string, a here-document or other literal text, where nothing may be inserted. "
        "Choose the line where the statement begins.",
    )


def _compare_comments(after: bytes, before: Syntax, syntax: Syntax, placed: Placed) -> None:
    """Old comments are where they were, and the inserted ranges hold comments and blanks alone."""
    old = {placed.shift(start, end) for start, end in before.comments}
    new = [comment for comment in syntax.comments if comment not in old]
    if len(new) + len(old) != len(syntax.comments):
        raise CommentRefused(
            "proof.comments", "The comment would join or split a comment that is there. Choose another line."
        )
    begins = [start for start, _ in new]
    for start, end in placed.ranges:
        reached = start
        for at in range(bisect_left(begins, start), bisect_left(begins, end)):
            comment_start, comment_end = new[at]
            if comment_end > end or after[reached:comment_start].strip():
                raise _not_a_comment()
            reached = comment_end
        if after[reached:end].strip():
            raise _not_a_comment()
    inside = sum(
        bisect_left(begins, end) - bisect_left(begins, start) for start, end in placed.ranges
    )  # fmt: skip
    if inside != len(new):
        raise CommentRefused("proof.comments", "The comment would turn code into a comment. Choose another line.")


def _not_a_comment() -> CommentRefused:
    return CommentRefused(
        "proof.not_a_comment",
        "At that line the text would not be a comment (it lies in a string, a here-document, markup or another comment). "
        "Choose the line where the statement begins.",
    )
