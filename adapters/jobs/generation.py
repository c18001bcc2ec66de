"""The job: have a model asked for comments on one file, check every one of them, and say in the log what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import structlog

from adapters.ai.asking import Tell, Unanswered, ask_for_comments
from adapters.ai.endpoint import endpoint_of, open_provider
from adapters.ai.faults import AskingFailed
from adapters.ai.improving import Improved, improved
from adapters.ai.library import PromptLibrary, Template
from adapters.ai.prompting import FileToDocument
from adapters.blobs.sealing import NotOpened
from adapters.blobs.store import BlobGone, BlobStore
from adapters.ids import now, uuid7
from adapters.jobs.progress import forget_progress, keep_progress
from adapters.postgres.connections import Database
from adapters.reviewing.words import Words, content_sha256, keep_words
from adapters.safety.checker import SafetyChecker, SafetyError
from hivesync_core.comments import FileRefused
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from hivesync_core.reviews.commands import (
    FailReview,
    FinishGeneration,
    RefuseReview,
    ReviewCommand,
    StartGeneration,
)
from hivesync_core.reviews.decider import review
from hivesync_core.reviews.events import GenerationStarted, RefusedSuggestion, Suggestion, Usage
from hivesync_core.reviews.state import Review
from hivesync_core.settings.decider import PROVIDER, SETTINGS_ID, AiSettings, ServerSettings, settings
from shared.socket.messages import ReviewProgress

if TYPE_CHECKING:
    from adapters.ai.provider import Provider

logger = structlog.get_logger(__name__)

PROGRESS_EVERY_S = 0.5


class Generation:
    """Everything that a generation needs. Any number of workers may run the same one: the log takes one end."""

    def __init__(
        self,
        database: Database,
        log: Log,
        blobs: BlobStore,
        library: PromptLibrary,
        checker: SafetyChecker,
        api_key: str | None,
    ) -> None:
        self._database, self._log, self._blobs = database, log, blobs
        self._library, self._checker, self._api_key = library, checker, api_key
        self.generations = 0
        self.tries = 0

    async def run(self, review_id: UUID) -> None:
        """Do it, unless it was done or is not wanted any more. Raises ``StoreError`` where the log is away."""
        if not (await self._log.state(review, review_id, fresh=True)).state.is_running:
            return
        chosen = await self._settings()
        await self._library.ensure()
        template = await self._library.labelled()
        start = StartGeneration(
            prompt_version=template.version,
            prompt_sha256=template.sha256,
            provider=PROVIDER,
            model=chosen.model,
        )
        outcome = await self._log.execute(review, review_id, start, _context())
        if not (outcome.events and isinstance(outcome.events[0], GenerationStarted)):
            return
        self.generations += 1
        attempt = outcome.events[0].attempt
        stored: Review = (await self._log.state(review, review_id)).state
        try:
            command = await self._made(review_id, stored, attempt, chosen, template)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - it is logged, without its text
            # That may quote the file: the log is told what it was and where, not what it said.
            where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
            logger.error("generation_failed", review_id=str(review_id), error_type=type(error).__name__, where=where)
            message = "Something went wrong in the server; its log says what, under the review's id."
            command = FailReview(attempt=attempt, code="review.error", message=message, usage=Usage(tries=0))
        await self._log.execute(review, review_id, command, _context())

    async def _made(
        self, review_id: UUID, stored: Review, attempt: int, chosen: AiSettings, template: Template
    ) -> ReviewCommand:
        """The command that ends the generation."""
        assert stored.project_id is not None, "the review exists"
        try:
            source = await self._blobs.get(stored.project_id, stored.source_sha256)
        except BlobGone:
            message = "The submitted source is no longer kept. Submit the file again."
            return FailReview(attempt=attempt, code="review.source_gone", message=message, usage=Usage(tries=0))
        except NotOpened:
            message = "The source was sealed with another key than the worker has: give every node HIVESYNC_BLOB_KEY."
            return FailReview(attempt=attempt, code="review.source_sealed", message=message, usage=Usage(tries=0))
        usage = Usage(tries=0)
        try:
            # Whether anything can be proven about the file, before anybody pays for an answer.
            await self._checker.check(source, stored.language, [])
            file = FileToDocument(
                path=stored.path, language=stored.language, source=source.decode(), style=stored.style
            )
            async with self._progress(review_id, stored) as tell, self._provider(chosen) as provider:
                asked = await ask_for_comments(provider, chosen, template.text, file, tell=tell)
                usage = asked.usage
                tell("checking", usage.tries, 0)
                report = await self._checker.check(source, stored.language, asked.comments)
                made = await improved(provider, self._checker, chosen, template.text, file, asked, report, tell=tell)
                usage = made.usage
        except FileRefused as refusal:
            return RefuseReview(attempt=attempt, code=refusal.cause, message=refusal.reason, usage=usage)
        except SafetyError as error:
            return FailReview(attempt=attempt, code="check.no_verdict", message=str(error), usage=usage)
        except Unanswered as end:
            usage = end.usage
            kind = RefuseReview if end.refused else FailReview
            return kind(attempt=attempt, code=end.code, message=str(end), usage=end.usage)
        finally:
            self.tries += usage.tries
        return await self._finished(stored, attempt, made)

    @contextlib.asynccontextmanager
    async def _provider(self, chosen: AiSettings) -> AsyncIterator[Provider]:
        try:
            provider = await open_provider(endpoint_of(chosen, self._api_key))
        except AskingFailed as failure:
            raise Unanswered(failure, Usage(tries=0)) from None
        try:
            yield provider
        finally:
            await provider.close()

    async def _finished(self, stored: Review, attempt: int, made: Improved) -> ReviewCommand:
        assert stored.project_id is not None, "the review exists"
        accepted = {one.index for one in made.report.accepted}
        contents: dict[int, str] = {}
        suggestions = []
        for index, raw in enumerate(made.comments):
            if index in accepted:
                comment = msgspec.convert(raw, _Accepted)
                contents[index] = comment.content
                suggestions.append(_suggestion(index, comment))
        refused = tuple(_refused(one.index, one.code, made.comments[one.index]) for one in made.report.refused)
        reasons = {one.index: one.reason for one in made.report.refused}
        answer = await keep_words(self._blobs, stored.project_id, Words(contents=contents, reasons=reasons))
        return FinishGeneration(
            attempt=attempt,
            answer_sha256=answer,
            suggestions=tuple(suggestions),
            refused=refused,
            usage=made.usage,
        )

    @contextlib.asynccontextmanager
    async def _progress(self, review_id: UUID, stored: Review) -> AsyncIterator[Tell]:
        """What is to be told how far it is; what was told last is passed on twice a second."""
        assert stored.project_id is not None, "the review exists"
        latest: list[ReviewProgress] = []

        def tell(stage: str, tries: int, chars: int) -> None:
            told = {"stage": stage, "tries": tries, "answer_chars": chars}
            whose = {"project_id": stored.project_id, "review_id": review_id}
            latest[:] = [msgspec.convert({**told, **whose}, ReviewProgress)]

        async def keep() -> None:
            while True:
                if latest:
                    with contextlib.suppress(StoreError):
                        await keep_progress(self._database, latest.pop())
                await asyncio.sleep(PROGRESS_EVERY_S)

        keeping = asyncio.create_task(keep())
        try:
            yield tell
        finally:
            keeping.cancel()
            with contextlib.suppress(StoreError):
                await asyncio.shield(forget_progress(self._database, review_id))

    async def _settings(self) -> AiSettings:
        stored: ServerSettings = (await self._log.state(settings, SETTINGS_ID, fresh=True)).state
        return stored.ai


class _Target(msgspec.Struct):
    line: int


class _Accepted(msgspec.Struct):
    """A comment that the check has accepted, whose shape is therefore right."""

    type: str
    target: _Target
    content: str


def _suggestion(index: int, comment: _Accepted) -> Suggestion:
    return Suggestion(
        index=index,
        type=comment.type,
        line=comment.target.line,
        content_sha256=content_sha256(comment.content),
        chars=len(comment.content),
    )


def _refused(index: int, code: str, raw: object) -> RefusedSuggestion:
    """What is kept of a refused comment: where it was to stand, as far as it said so in the form that was asked for."""
    given = raw if isinstance(raw, dict) else {}
    target = given.get("target")
    line = target.get("line") if isinstance(target, dict) else None
    return RefusedSuggestion(
        index=index,
        code=code,
        type=given["type"] if given.get("type") in ("inline", "header") else None,
        line=line if type(line) is int and abs(line) < 2**31 else None,
    )


def _context() -> Context:
    command_id = uuid7()
    return Context(SYSTEM_ACTOR, now(), command_id, command_id)
