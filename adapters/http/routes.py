"""Every route of every role; a new feature is one more line here."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Router
from litestar.types import ControllerRouterHandler

from adapters.http import (
    accounts,
    admin_replay,
    auth,
    board,
    exports,
    history,
    imports,
    invitations,
    live,
    oauth,
    openapi,
    ops,
    own_sessions,
    playground,
    projects,
    prompts,
    proof,
    review_files,
    reviews,
    settings,
    sockets,
    tasks,
    tokens,
    web_client,
    web_session,
)
from adapters.http.authentication import Authentication
from adapters.http.oauth_pages import routes as pages
from adapters.http.plain_query import plain_query
from shared.settings import Role

API_PATH = "/api/v1"

FEATURES: tuple[ControllerRouterHandler, ...] = (
    *auth.HANDLERS,
    *accounts.HANDLERS,
    *own_sessions.HANDLERS,
    *invitations.HANDLERS,
    *tokens.HANDLERS,
    *oauth.HANDLERS,
    *projects.HANDLERS,
    *tasks.HANDLERS,
    *board.HANDLERS,
    *history.HANDLERS,
    *exports.HANDLERS,
    *admin_replay.HANDLERS,
    *imports.HANDLERS,
    *reviews.HANDLERS,
    *review_files.HANDLERS,
    *prompts.HANDLERS,
    *playground.HANDLERS,
    *settings.HANDLERS,
    *openapi.HANDLERS,
    *proof.HANDLERS,
    *sockets.HANDLERS,
    *live.HANDLERS,
    *web_session.HANDLERS,
)
"""The versioned API: one line a controller."""


def operation_routes() -> tuple[ControllerRouterHandler, ...]:
    """What every process answers, whatever its roles."""
    return (ops.health, ops.ready, ops.metrics, ops.problem_type)


def api_routes() -> tuple[ControllerRouterHandler, ...]:
    """What a process with the role ``api`` answers."""
    return (
        ops.connection_registry,
        Router(API_PATH, route_handlers=FEATURES, middleware=[Authentication(), plain_query]),
        Router("/", route_handlers=oauth.PROTOCOL_HANDLERS, middleware=[Authentication()]),
        Router(
            "/", route_handlers=(*settings.FIXED_HANDLERS, *playground.FIXED_HANDLERS), middleware=[Authentication()]
        ),
        Router("/", route_handlers=web_client.HANDLERS, middleware=[Authentication()]),
        pages.pages(),
    )


def routes_of(roles: frozenset[Role]) -> Sequence[ControllerRouterHandler]:
    """The routes of a process with these roles."""
    return (*operation_routes(), *(api_routes() if "api" in roles else ()))
