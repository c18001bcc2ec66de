"""The words of a review: one document in the blob store with what the model wrote, and one blob for each edit."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import msgspec

from adapters.blobs.store import BlobGone, BlobStore
from hivesync_core.reviews.state import Review


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What the model wrote, by the index of the comment; ``reasons`` say why others were refused."""

    contents: dict[int, str]
    reasons: dict[int, str] = {}


def content_sha256(content: str) -> str:
    """What a comment's words are known by in events."""
    return sha256(content.encode()).hexdigest()


async def keep_words(blobs: BlobStore, project_id: UUID, words: Words) -> str:
    """Keep them; the hash of the document."""
    return await blobs.put(project_id, "words", msgspec.json.encode(words))


async def words_of(blobs: BlobStore, review: Review) -> Words:
    """What the model wrote for a review; raises ``BlobGone``."""
    assert review.project_id is not None, "the review exists"
    if not review.answer_sha256:
        return Words(contents={})
    return msgspec.json.decode(await blobs.get(review.project_id, review.answer_sha256), type=Words)


async def keep_edit(blobs: BlobStore, project_id: UUID, content: str) -> str:
    """Keep other words for a comment; their hash."""
    return await blobs.put(project_id, "words", content.encode())


async def contents_of(blobs: BlobStore, review: Review, indexes: tuple[int, ...]) -> dict[int, str]:
    """The words of comments as they stand now; raises ``BlobGone`` where some are no longer kept."""
    assert review.project_id is not None, "the review exists"
    words = await words_of(blobs, review)
    contents = {}
    for index in indexes:
        comment = review.comments[index]
        if comment.content_sha256 == comment.suggested_sha256:
            contents[index] = words.contents[index]
        else:
            contents[index] = (await blobs.get(review.project_id, comment.content_sha256)).decode()
    return contents


async def shown_contents(blobs: BlobStore, review: Review) -> tuple[dict[int, str], dict[int, str]] | None:
    """The words of every comment and the reasons of the refused ones; none where they are no longer kept."""
    try:
        words = await words_of(blobs, review)
        return await contents_of(blobs, review, tuple(review.comments)), words.reasons
    except BlobGone:
        return None
