"""The file with the approved comments in it: made and proven anew each time from what is stored, never kept."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.blobs.store import BlobStore
from adapters.reviewing.words import contents_of
from adapters.safety.checker import SafetyChecker
from hivesync_core.comments import Proof, rebind
from hivesync_core.kernel.refusal import Conflict, Invalid
from hivesync_core.reviews.refusals import NothingApproved
from hivesync_core.reviews.state import Review


class CommentsCollide(Conflict):
    """Comments that are each good cannot stand together as they were edited; the facts name them and why."""

    code = "review.comments_collide"
    title = "Some of the approved comments cannot stand together"


class EditRefused(Invalid):
    """The words were refused by the check; the facts name its ``reason`` and its ``check``."""

    code = "review.edit_refused"
    title = "These words cannot be inserted as a comment"


class Inserted(msgspec.Struct, frozen=True, kw_only=True):
    """A file before and after. ``drifted`` are approved comments without a certain place in ``before``.

    ``indexes`` are those of the review for the comments that the proof counts from 0.
    """

    before: bytes
    after: bytes
    proof: Proof | None
    indexes: tuple[int, ...]
    drifted: tuple[int, ...] = ()


def as_comment(type_: str, line: int, content: str) -> dict[str, Any]:
    """A comment as the check and the model's answers have it."""
    return {"type": type_, "target": {"line": line}, "content": content}


class Inserter:
    """Makes the file of a review. Every call runs the whole check in a worker process."""

    def __init__(self, blobs: BlobStore, checker: SafetyChecker) -> None:
        self._blobs, self._checker = blobs, checker

    async def source(self, review: Review) -> bytes:
        """The file as it was submitted; raises ``BlobGone``."""
        assert review.project_id is not None, "the review exists"
        return await self._blobs.get(review.project_id, review.source_sha256)

    async def approved(self, review: Review, *, instead: dict[int, str] | None = None) -> Inserted:
        """The submitted file with what is approved so far; ``instead`` are words for some of them that are tried out.

        Raises ``BlobGone``, ``CommentsCollide``, ``EditRefused``, ``FileRefused``, ``SafetyError``.
        """
        tried = instead or {}
        indexes = tuple(sorted({*review.approved, *tried}))
        source = await self.source(review)
        if not indexes:
            return Inserted(before=source, after=source, proof=None, indexes=())
        lines = {index: review.comments[index].line for index in indexes}
        return await self._inserted(review, source, lines, tried)

    async def into(self, review: Review, current: bytes) -> Inserted:
        """Another state of the file with what is approved, each comment where its line went, or left out as drifted."""
        approved = review.approved
        if not approved:
            raise NothingApproved("No comment is approved: there is nothing to insert.")
        source = await self.source(review)
        lines = {}
        for index in approved:
            comment = review.comments[index]
            # A header stands at the top, wherever that is.
            line = 1 if comment.type == "header" else rebind(source, current, comment.line)
            if line is not None:
                lines[index] = line
        drifted = tuple(index for index in approved if index not in lines)
        if not lines:
            return Inserted(before=current, after=current, proof=None, indexes=(), drifted=drifted)
        inserted = await self._inserted(review, current, lines, {})
        return msgspec.structs.replace(inserted, drifted=drifted)

    async def _inserted(
        self, review: Review, source: bytes, lines: dict[int, int], instead: dict[int, str]
    ) -> Inserted:
        indexes = tuple(sorted(lines))
        contents = await contents_of(self._blobs, review, tuple(n for n in indexes if n not in instead)) | instead
        comments = [as_comment(review.comments[n].type, lines[n], contents[n]) for n in indexes]
        report = await self._checker.check(source, review.language, comments)
        for one in report.refused:
            if indexes[one.index] in instead:
                raise EditRefused(one.reason, check=one.code, index=indexes[one.index])
        if report.refused:
            refused = [{"index": indexes[one.index], "code": one.code, "reason": one.reason} for one in report.refused]
            raise CommentsCollide("Discard or edit those that are named.", comments=refused)
        assert report.proof is not None, "every comment was accepted"
        return Inserted(before=source, after=report.after, proof=report.proof, indexes=indexes)
