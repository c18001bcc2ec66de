"""What goes into the check of comments and what comes out of it: comments, refusals, insertions, the proof and the report."""

from __future__ import annotations

from typing import Literal

import msgspec

from hivesync_core.kernel.refusal import Refusal


class Comment(msgspec.Struct, frozen=True):
    """A comment of the right shape: ``line`` is 1-based and in the file, ``content`` has LF line ends."""

    type: Literal["inline", "header"]
    line: int
    content: str


class Refused(msgspec.Struct, frozen=True):
    """Why the comment at ``index`` of those given is not inserted; ``reason`` names cause and remedy."""

    index: int
    code: str
    reason: str


class Insertion(msgspec.Struct, frozen=True):
    """The rendered comment: ``text`` goes before byte ``offset`` of the original, which is where ``line`` starts."""

    index: int
    offset: int
    text: bytes
    line: int


class Proof(msgspec.Struct, frozen=True):
    """What was compared: the same ``tokens`` stand in the file before and after, under ``grammar``.

    ``natives`` names the second proofs that ran beside it ("python.ast", "yaml.events").
    """

    file_sha256_before: str
    file_sha256_after: str
    tokens_sha256_before: str
    tokens_sha256_after: str
    tokens: int
    grammar: str
    insertions: tuple[Insertion, ...]
    natives: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """The verdict on every comment. ``after`` is the file with all that is accepted; no ``proof`` where nothing is."""

    accepted: tuple[Insertion, ...]
    refused: tuple[Refused, ...]
    proof: Proof | None
    after: bytes


class CommentRefused(Exception):
    """One comment is refused; within the check only."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class FileRefused(Refusal):
    """The whole file is not handled. ``cause`` is stable ("file.not_utf8"), ``reason`` a sentence with the remedy."""

    code = "comments.file_refused"
    title = "Comments for this file cannot be proven harmless"

    def __init__(self, cause: str, reason: str) -> None:
        super().__init__(reason, cause=cause)
        self.cause, self.reason = cause, reason
