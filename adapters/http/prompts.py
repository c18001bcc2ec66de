"""Prompt versions and labels, their scores, and the recall of everything that came from one version (AI-6)."""

from __future__ import annotations

from litestar import get, post, put
from litestar.params import FromPath, JSONBody

from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context
from adapters.http.limits import PAGE
from adapters.http.reading import Cursor, Limit, shown_now
from adapters.http.request import ApiRequest
from adapters.http.services import Services
from adapters.ids import uuid7
from hivesync_core.eventstore.log import Submission
from hivesync_core.prompts.decider import PROMPTS_ID, MovePromptLabel, Prompts, prompts
from hivesync_core.reviews.commands import RetractComments
from hivesync_core.reviews.decider import review
from hivesync_core.reviews.events import CommentsRetracted
from projections.reviews.model import ReviewRow
from projections.reviews.queries import prompt_scores, reviews_of_prompt
from shared.api.prompts import (
    LabelRequest,
    PromptList,
    PromptRequest,
    Recalled,
    RecalledComment,
    RecallPage,
    RecallRequest,
    ScoreList,
    ShownPrompt,
    ShownPromptVersion,
    ShownScore,
)

TAGS = ["Prompts"]
RECALLED_AT_ONCE = 200
"""Reviews that one request calls back comments of."""


def _admin(answer: type) -> dict[str, object]:
    return {"access": "admin", "answer": answer}


@get("/admin/prompts", tags=TAGS, opt=_admin(PromptList), summary="Every version of the prompt")
async def list_prompts(request: ApiRequest) -> JsonAnswer:
    """The newest first, and what each label points at."""
    return JsonAnswer(_listed(await request.services.library.state()))


@post("/admin/prompts", tags=TAGS, opt=_admin(ShownPromptVersion), summary="Keep a template as the next version")
async def add_prompt(request: ApiRequest, data: JSONBody[PromptRequest]) -> JsonAnswer:
    """It never changes after. The same text as the latest version is that version."""
    context = await command_context(request)
    library = request.services.library
    await library.add(data.template, data.note, request.user.account_id, context)
    state = await library.state()
    return JsonAnswer(_shown_version(state, len(state.versions)), status_code=201)


@get("/admin/prompts/{version:int}", tags=TAGS, opt=_admin(ShownPrompt), summary="A version with its text")
async def show_prompt(request: ApiRequest, version: FromPath[int]) -> JsonAnswer:
    """The text as it was added."""
    template = await request.services.library.version(version)
    told = _shown_version(await request.services.library.state(), version)
    answer = ShownPrompt(
        version=version, sha256=told.sha256, note=told.note, labels=told.labels, template=template.text
    )
    return JsonAnswer(answer)


@put("/admin/prompts/labels/{label:str}", tags=TAGS, opt=_admin(PromptList), summary="Have a label point at a version")
async def move_label(request: ApiRequest, label: FromPath[str], data: JSONBody[LabelRequest]) -> JsonAnswer:
    """`production` is what files are documented with. A rollback is this: the label moved back."""
    services = request.services
    await services.library.ensure()
    command = MovePromptLabel(label=label, version=data.version, by=request.user.account_id)
    await services.log.execute(prompts, PROMPTS_ID, command, await command_context(request))
    return JsonAnswer(_listed(await services.library.state()))


@get("/admin/prompt-scores", tags=TAGS, opt=_admin(ScoreList), summary="What people decided, by version")
async def list_scores(request: ApiRequest) -> JsonAnswer:
    """Of every version that comments came from: how many were approved, edited, discarded, retracted and refused."""
    await shown_now(request.services, "reviews")
    items = [ShownScore(**counts) for counts in await prompt_scores(request.services.database)]
    return JsonAnswer(ScoreList(items=items))


@get(
    "/admin/prompts/{version:int}/comments",
    tags=TAGS,
    opt=_admin(RecallPage),
    summary="Every comment that came from a version",
)
async def list_comments(
    request: ApiRequest, version: FromPath[int], cursor: Cursor = None, limit: Limit = PAGE
) -> JsonAnswer:
    """Where each is and what was decided on it; pages are of reviews."""
    services = request.services
    (await services.library.state()).version(version)
    await shown_now(services, "reviews")
    rows, after = await reviews_of_prompt(services.database, version, cursor=cursor, limit=limit)
    return JsonAnswer(RecallPage(items=[one for row in rows for one in _comments(row)], next_cursor=after))


@post(
    "/admin/prompts/{version:int}/recall",
    status_code=200,
    tags=TAGS,
    opt=_admin(Recalled),
    summary="Call back every comment that came from a version",
)
async def recall(request: ApiRequest, version: FromPath[int], data: JSONBody[RecallRequest]) -> JsonAnswer:
    """Whatever was decided on them, in open and closed reviews. Asked again, it goes on where it was left."""
    services = request.services
    (await services.library.state()).version(version)
    await shown_now(services, "reviews")
    context = await command_context(request)
    wanted, remaining = await _to_recall(services, version)
    command = RetractComments(by=request.user.account_id, role=None, is_admin=True, reason=data.reason)
    comments = 0
    for row in wanted:
        # A command of its own each, so that one idempotency key is not stretched over many.
        its_own = context._replace(command_id=uuid7(), causation_id=context.command_id, idempotency=None)
        (outcome,) = await services.log.execute_all([Submission(review, row.review_id, command)], its_own)
        comments += sum(len(event.indexes) for event in outcome.events if isinstance(event, CommentsRetracted))
    return JsonAnswer(Recalled(reviews=len(wanted), comments=comments, remaining=remaining))


async def _to_recall(services: Services, version: int) -> tuple[list[ReviewRow], bool]:
    """Some of the reviews with a comment of the version that was not called back, and whether there are more."""
    wanted: list[ReviewRow] = []
    cursor = None
    while True:
        rows, cursor = await reviews_of_prompt(services.database, version, cursor=cursor, limit=RECALLED_AT_ONCE)
        wanted += [row for row in rows if any(one.decision != "retracted" for one in row.comments)]
        if cursor is None or len(wanted) > RECALLED_AT_ONCE:
            return wanted[:RECALLED_AT_ONCE], len(wanted) > RECALLED_AT_ONCE


def _comments(row: ReviewRow) -> list[RecalledComment]:
    return [
        RecalledComment(
            review_id=row.review_id,
            project_id=row.project_id,
            path=row.path,
            index=one.index,
            type=one.type,
            line=one.target.line,
            content_sha256=one.content_sha256,
            decision=one.decision,
            applied=row.applied_at is not None and one.decision in ("approved", "edited"),
        )
        for one in row.comments
    ]


def _listed(state: Prompts) -> PromptList:
    versions = [_shown_version(state, number) for number in range(len(state.versions), 0, -1)]
    return PromptList(versions=versions, labels=state.labels)


def _shown_version(state: Prompts, number: int) -> ShownPromptVersion:
    version = state.version(number)
    labels = sorted(label for label, at in state.labels.items() if at == number)
    return ShownPromptVersion(version=number, sha256=version.sha256, note=version.note, labels=labels)


HANDLERS = (list_prompts, add_prompt, show_prompt, move_label, list_scores, list_comments, recall)
