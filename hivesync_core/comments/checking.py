"""The whole check: every comment is judged alone, what remains is proven together, and alone where that fails."""

from __future__ import annotations

from collections.abc import Sequence

from hivesync_core.comments.model import CommentRefused, FileRefused, Insertion, Proof, Refused, Report
from hivesync_core.comments.placement import Placement
from hivesync_core.comments.proving import prove, refuse_inside
from hivesync_core.comments.rendering import render
from hivesync_core.comments.shape import shaped
from hivesync_core.comments.source_file import SourceFile, lexical, open_source
from hivesync_core.comments.text_rules import refuse_text

COMMENTS_MAX = 500


def check(source: bytes, language: str, comments: Sequence[object]) -> Report:
    """Judge ``comments`` (JSON values, as they came) for ``source`` and insert those that provably change nothing else.

    `FileRefused` where nothing can be proven about the file, whatever the comments say. Takes no longer than a few
    parses of the file, but a grammar may hang: run it where it can be killed.
    """
    if len(comments) > COMMENTS_MAX:
        raise FileRefused("comments.too_many", f"{len(comments)} comments were given, {COMMENTS_MAX} are the most.")
    file = open_source(source, language)
    drafts, refused = _admitted(file, comments)
    accepted, proof, after = _proven(file, drafts, refused)
    return Report(
        accepted=tuple(accepted),
        refused=tuple(sorted(refused, key=lambda one: one.index)),
        proof=proof,
        after=after,
    )


def _admitted(file: SourceFile, comments: Sequence[object]) -> tuple[list[Insertion], list[Refused]]:
    """Those that pass on their own, in the order of their places, and the refusals of the others."""
    placement = Placement(file)
    drafts: list[Insertion] = []
    refused: list[Refused] = []
    for index, raw in enumerate(comments):
        try:
            comment = shaped(raw, len(file.lines))
            refuse_text(comment.content, file)
            insertion = render(file.lines, file.language, index, comment, placement.top)
            placement.refuse(comment, insertion)
            refuse_inside(file, insertion)
        except CommentRefused as refusal:
            refused.append(Refused(index, refusal.code, refusal.reason))
        else:
            drafts.append(insertion)
    headers = {index for index, raw in enumerate(comments) if isinstance(raw, dict) and raw.get("type") == "header"}
    return sorted(drafts, key=lambda one: (one.offset, one.index not in headers, one.index)), refused


def _proof(file: SourceFile, candidate: Sequence[Insertion]) -> tuple[Proof, bytes]:
    try:
        return prove(file, candidate)
    except CommentRefused as refusal:
        other = lexical(file) if refusal.code == "proof.parse_error" else None
        if other is None:
            raise
    return prove(other, candidate)


def _proven(
    file: SourceFile, drafts: list[Insertion], refused: list[Refused]
) -> tuple[list[Insertion], Proof | None, bytes]:
    """The largest part that holds together: halves are tried where the whole fails, down to each comment alone."""
    accepted: list[Insertion] = []
    best: tuple[Proof | None, bytes] = (None, file.source)
    waiting = [drafts] if drafts else []
    while waiting:
        part = waiting.pop()
        candidate = sorted([*accepted, *part], key=drafts.index)
        try:
            best = _proof(file, candidate)
        except CommentRefused as refusal:
            if len(part) == 1:
                refused.append(Refused(part[0].index, refusal.code, refusal.reason))
            else:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
        else:
            accepted = candidate
    return accepted, *best
