"""Settings that admins change while the server runs, and what retention drops (ADMIN-1, ADMIN-2)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, patch, post
from litestar.params import JSONBody, QueryParameter

from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context, refuse_body
from adapters.http.conditional import etag, expected_version
from adapters.http.request import ApiRequest
from hivesync_core.eventstore.log import Submission
from hivesync_core.settings.decider import (
    PROVIDER,
    SETTINGS_ID,
    ChangeAiSettings,
    ChangeRetention,
    Retention,
    ServerSettings,
    settings,
)
from shared.api.settings import (
    RetentionDone,
    RetentionDue,
    SettingsPatch,
    ShownAiSettings,
    ShownRetention,
    ShownSettings,
)

TAGS = ["Administration"]

SourceDays = Annotated[int | None, QueryParameter(ge=0, le=3_650, description="As if sources were kept so long.")]
CommentDays = Annotated[int | None, QueryParameter(ge=0, le=36_500, description="As if words were kept so long.")]


@get("/admin/settings", tags=TAGS, opt={"access": "admin", "answer": ShownSettings}, summary="The settings")
async def show_settings(request: ApiRequest) -> JsonAnswer:
    """How the model is asked, and how long sources are kept. The key of the provider is shown nowhere."""
    return await _shown(request)


@patch(
    "/admin/settings",
    tags=TAGS,
    opt={"access": "admin", "answer": ShownSettings, "is_command": True},
    summary="Change settings",
)
async def change_settings(request: ApiRequest, data: JSONBody[SettingsPatch]) -> JsonAnswer:
    """What is left out stays. It counts from the next job on, on every node."""
    by = request.user.account_id
    expected = expected_version(request.scope)
    given = [
        Submission(settings, SETTINGS_ID, ChangeAiSettings(by=by, **_fields(data.ai)), expected),
        Submission(settings, SETTINGS_ID, ChangeRetention(by=by, **_fields(data.retention))),
    ]
    await request.services.log.execute_all(given, await command_context(request))
    return await _shown(request)


@get(
    "/admin/retention", tags=TAGS, opt={"access": "admin", "answer": RetentionDue}, summary="What retention would drop"
)
async def show_retention(
    request: ApiRequest, source_days: SourceDays = None, comment_days: CommentDays = None
) -> JsonAnswer:
    """A dry run: by the settings that stand, or by others. Events are never dropped."""
    stored = (await _stored(request)).retention
    chosen = Retention(
        source_days=stored.source_days if source_days is None else source_days,
        comment_days=stored.comment_days if comment_days is None else comment_days,
    )
    return JsonAnswer(await request.services.retention.due(chosen))


@post(
    "/admin/retention/run",
    tags=TAGS,
    opt={"access": "admin", "answer": RetentionDone},
    status_code=200,
    summary="Drop now what is not to be kept",
)
async def run_retention(request: ApiRequest) -> JsonAnswer:
    """By the settings that stand; the server does it by itself each hour."""
    await refuse_body(request)
    return JsonAnswer(await request.services.retention.drop())


def _fields(patch: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(patch, name) for name in patch.__struct_fields__}


async def _stored(request: ApiRequest) -> ServerSettings:
    stored: ServerSettings = (await request.services.log.state(settings, SETTINGS_ID, fresh=True)).state
    return stored


async def _shown(request: ApiRequest) -> JsonAnswer:
    loaded = await request.services.log.state(settings, SETTINGS_ID, fresh=True)
    stored: ServerSettings = loaded.state
    answer = ShownSettings(
        ai=ShownAiSettings(
            provider=PROVIDER,
            key_is_set=request.services.settings.ai_api_key is not None,
            **msgspec.structs.asdict(stored.ai),
        ),
        retention=ShownRetention(**msgspec.structs.asdict(stored.retention)),
        version=loaded.version,
    )
    return JsonAnswer(answer, (b"etag", etag(loaded.version).encode()))


HANDLERS = (show_retention, run_retention)

FIXED_HANDLERS = (show_settings, change_settings)
"""What has its address beside the versioned API (section 2 of the specification)."""
