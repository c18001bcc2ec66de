"""The playground: templates tried side by side on a file, and a version held against what people decided (AI-6)."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from adapters.ai.endpoint import endpoint_of
from adapters.ai.prompting import FileToDocument
from adapters.ai.trial import Comparison, Place, Tried, compare, places_of, try_template, try_templates
from adapters.blobs.store import BlobGone
from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context
from adapters.http.limits import SOURCE_BODY_BYTES_MAX
from adapters.http.prompts import TAGS
from adapters.http.reading import shown_now
from adapters.http.request import ApiRequest
from adapters.http.reviews import language_for, refuse_too_large, style_of
from adapters.http.services import Services
from hivesync_core.comments import FileRefused, unified_diff
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Invalid
from hivesync_core.prompts.decider import PRODUCTION, PROMPTS_ID, RecordTrial, prompts
from hivesync_core.prompts.template import checked
from hivesync_core.settings.decider import SETTINGS_ID, AiSettings, ServerSettings, settings
from projections.reviews.model import ReviewRow
from projections.reviews.queries import decided_reviews
from shared.api.prompts import (
    TRIED_AT_ONCE_MAX,
    DraftScore,
    PlaygroundAnswer,
    PlaygroundRequest,
    ScoreRequest,
    Trial,
    TriedComment,
)
from shared.api.reviews import ShownRefusal, ShownUsage, Target


class TooManyTemplates(Invalid):
    """More templates than are tried at once; the facts name the limit."""

    code = "prompt.too_many_at_once"
    title = "Too many templates at once"


@post(
    "/admin/playground/test",
    status_code=200,
    tags=TAGS,
    opt={"access": "admin", "answer": PlaygroundAnswer},
    request_max_body_size=SOURCE_BODY_BYTES_MAX,
    summary="Try templates on a file",
)
async def test(request: ApiRequest, data: JSONBody[PlaygroundRequest]) -> JsonAnswer:
    """Versions by number and one that is not kept, side by side; what is in production where none is named.

    Neither the file nor what the model says is stored: counts are.
    """
    services = request.services
    source = data.source.encode()
    await refuse_too_large(services, source)
    numbers = list(dict.fromkeys(data.versions))
    if len(numbers) + (data.template is not None) > TRIED_AT_ONCE_MAX:
        raise TooManyTemplates(f"{TRIED_AT_ONCE_MAX} are the most.", templates_max=TRIED_AT_ONCE_MAX)
    if not numbers and data.template is None:
        numbers = [(await services.library.labelled(PRODUCTION)).version]
    versions: list[int | None] = [*numbers]
    templates = [(await services.library.version(number)).text for number in numbers]
    if data.template is not None:
        versions.append(None)
        templates.append(checked(data.template))
    file = FileToDocument(
        path=data.path,
        language=language_for(data.path, source, data.language),
        source=data.source,
        style=style_of(data.style),
    )
    chosen = await _ai_settings(services)
    endpoint = endpoint_of(chosen, services.settings.ai_api_key)
    tried = await try_templates(services.checker, endpoint, chosen, templates, file)
    context = await command_context(request)
    for version, one in zip(versions, tried, strict=True):
        await _count(services, context, request.user.account_id, version, file, one)
    trials = [_trial(version, one, file) for version, one in zip(versions, tried, strict=True)]
    return JsonAnswer(PlaygroundAnswer(trials=trials))


@post(
    "/admin/prompts/{version:int}/score",
    status_code=200,
    tags=TAGS,
    opt={"access": "admin", "answer": DraftScore},
    summary="Hold a version against what people decided",
)
async def score(request: ApiRequest, version: FromPath[int], data: JSONBody[ScoreRequest]) -> JsonAnswer:
    """It is asked anew about files whose comments people approved and discarded, as far as their sources are kept."""
    services = request.services
    template = await services.library.version(version)
    await shown_now(services, "reviews")
    chosen = await _ai_settings(services)
    endpoint = endpoint_of(chosen, services.settings.ai_api_key)
    context = await command_context(request)
    totals: dict[str, int] = dict.fromkeys(
        ("reviews", "unanswered", "approved", "discarded", "refused", "input_tokens", "output_tokens"), 0
    )
    totals |= dict.fromkeys(Comparison.__struct_fields__, 0)
    cost: int | None = 0
    for row in await decided_reviews(services.database, data.reviews):
        file = await _file_of(services, row)
        if file is None:
            continue
        try:
            tried = await try_template(services.checker, endpoint, chosen, template.text, file)
        except FileRefused:
            continue
        await _count(services, context, request.user.account_id, version, file, tried)
        for name, count in _scored(row, tried).items():
            totals[name] += count
        spent = tried.usage.cost_micros
        cost = None if cost is None or spent is None else cost + spent
    return JsonAnswer(DraftScore(version=version, cost_micros=cost, **totals))


def _scored(row: ReviewRow, tried: Tried) -> dict[str, int]:
    """The counts of one review; where the model gave no answer, nothing is compared."""
    counts = {
        "reviews": 1,
        "input_tokens": tried.usage.input_tokens,
        "output_tokens": tried.usage.output_tokens,
    }
    if tried.report is None:
        return {**counts, "unanswered": 1}
    approved = [Place(one.type, one.target.line) for one in row.comments if one.decision in ("approved", "edited")]
    discarded = [Place(one.type, one.target.line) for one in row.comments if one.decision in ("discarded", "retracted")]
    compared = msgspec.structs.asdict(compare(places_of(tried), approved, discarded))
    refused = len(tried.report.refused)
    return {**counts, **compared, "approved": len(approved), "discarded": len(discarded), "refused": refused}


async def _file_of(services: Services, row: ReviewRow) -> FileToDocument | None:
    try:
        source = await services.blobs.get(row.project_id, row.source_sha256)
    except BlobGone:
        return None
    return FileToDocument(path=row.path, language=row.language, source=source.decode(), style=row.style)


async def _count(
    services: Services, context: Context, by: AccountId, version: int | None, file: FileToDocument, tried: Tried
) -> None:
    command = RecordTrial(
        by=by,
        version=version,
        language=file.language,
        size_bytes=len(file.source.encode()),
        suggestions=0 if tried.report is None else len(tried.report.accepted),
        refused=0 if tried.report is None else len(tried.report.refused),
        input_tokens=tried.usage.input_tokens,
        output_tokens=tried.usage.output_tokens,
    )
    await services.log.execute(prompts, PROMPTS_ID, command, context._replace(idempotency=None))


def _trial(version: int | None, tried: Tried, file: FileToDocument) -> Trial:
    usage = ShownUsage(**msgspec.structs.asdict(tried.usage))
    if tried.report is None:
        told: dict[str, Any] = {"code": tried.code, "message": tried.message}
        return Trial(version=version, comments=[], refused=[], usage=usage, diff="", **told)
    comments: list[Any] = [tried.comments[one.index] for one in tried.report.accepted]
    indexes = [one.index for one in tried.report.accepted]
    before = file.source.encode()
    return Trial(
        version=version,
        comments=[
            TriedComment(
                index=index, type=one["type"], target=Target(line=one["target"]["line"]), content=one["content"]
            )
            for index, one in zip(indexes, comments, strict=True)
        ],
        refused=[ShownRefusal(index=one.index, code=one.code, reason=one.reason) for one in tried.report.refused],
        usage=usage,
        diff=unified_diff(file.path, before, tried.report.after).decode(),
    )


async def _ai_settings(services: Services) -> AiSettings:
    stored: ServerSettings = (await services.log.state(settings, SETTINGS_ID, fresh=True)).state
    return stored.ai


HANDLERS = (score,)

FIXED_HANDLERS = (test,)
"""What has its address beside the versioned API (section 2 of the specification)."""
