"""The Litestar application: the routes of this process's roles, and what is done with whatever they raise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ControllerRouterHandler

from adapters.http.errors import problem_response
from adapters.http.limits import JSON_BODY_BYTES_MAX
from adapters.http.request import ApiRequest
from adapters.http.routes import routes_of
from adapters.http.services import Services

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class HiveSyncApp(Litestar):
    """Litestar with the services that its handlers call."""

    services: Services
    description: bytes | None = None
    """The API's description, once it was asked for."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """What our handlers need of Litestar's own: its plugins for pydantic and attrs, which are there for others,
        would import all of pydantic, an eighth of the time that a start takes."""
        return [*plugins, MsgspecDIPlugin()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer; OPTIONS with the methods of the whole path, which Litestar knows of one handler alone."""
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await super().__call__(scope, receive, send)
            return
        allowed = set(_methods(self, scope["path"]))
        if not allowed:
            scope["method"] = "GET"  # What is nowhere is answered as such, whatever the method.
            await super().__call__(scope, receive, send)
            return
        headers = [(b"allow", _allow(allowed).encode())]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def create_app(
    services: Services,
    *,
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    more_routes: Sequence[ControllerRouterHandler] = (),
) -> HiveSyncApp:
    """The application of a process; ``lifespan`` is entered before the first request and left after the last."""

    @asynccontextmanager
    async def around(_: Litestar) -> AsyncIterator[None]:
        if lifespan is None:
            yield
            return
        async with lifespan():
            yield

    app = HiveSyncApp(
        route_handlers=[*routes_of(services.settings.roles), *more_routes],
        request_class=ApiRequest,
        request_max_body_size=JSON_BODY_BYTES_MAX,
        exception_handlers={Exception: _answer_problem},
        lifespan=[around],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.services = services
    return app


def _answer_problem(request: Request[Any, Any, State], error: Any) -> Any:
    if isinstance(error, MethodNotAllowedException):
        allowed = set(_methods(request.app, request.scope["path"]))
        error.headers = {"allow": _allow(allowed)}
    return problem_response(request.scope, error)


def _allow(methods: set[str]) -> str:
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


def _methods(app: Litestar, path: str) -> Iterator[str]:
    for method in METHODS:
        try:
            app.asgi_router.handle_routing(path=path.rstrip("/") or "/", method=method)
        except (MethodNotAllowedException, NotFoundException):
            continue
        yield method
