"""The API's description (OpenAPI 3.1) and the page to try it: every route, every status, exactly what bodies may hold.

Paths and parameters come from the routes; bodies and answers from the same msgspec types that decode and encode them.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from importlib import resources
from typing import Any, Final, get_args, get_origin

import msgspec
from litestar import Litestar, Response, get
from litestar._openapi.plugin import OpenAPIPlugin
from litestar.config.app import AppConfig
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.response.base import ASGIResponse
from litestar.routes import HTTPRoute

from adapters.http.annotations import alternatives
from adapters.http.answers import JsonAnswer
from adapters.http.authentication import ANYONE
from adapters.http.limits import IDEMPOTENCY_KEY_MAX
from adapters.http.request import ApiRequest
from adapters.http.streams import NDJSON
from hivesync_core.accounts.scopes import SCOPES
from shared.api.problems import PROBLEM_MEDIA_TYPE, Problem

_REF: Final = "#/components/schemas/{name}"
_BEHIND_AUTHENTICATION: Final = ("/api/", "/admin/", "/oauth/", "/.well-known/oauth")

DESCRIPTION: Final = """\
Tasks, live collaboration and a provable history for teams.

Every change is an event; what you read is made from them. A command answers with the `version` of what it changed (also as
`ETag`) and the `position` in the log. Read with the header `HiveSync-Min-Position` to see your own change. Send
`Idempotency-Key` to be able to repeat a command safely, and `If-Match` to change only what you have read. Errors are
problems (RFC 9457); their `type` is stable and opens an explanation.
"""

_IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names this command: repeated with the same request, it gives the same answer (for a day).",
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_MAX, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def _if_match(*, required: bool) -> dict[str, Any]:
    return {
        "name": "If-Match",
        "in": "header",
        "required": required,
        "description": 'The `ETag` of what you have read, such as `"3"`; `*` for whatever stands.',
        "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,18}")$'},
    }


def describe(app: Litestar) -> bytes:
    """The description of an application's routes, as JSON."""
    routes = list(_routes(app))
    types: list[Any] = [Problem]
    for _, _, handler in routes:
        types += [each for each in (_body_type(handler), _answer_type(handler)) if each is not None]
    types = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(types, schemas, strict=True))
    described = _found_by_litestar(app)
    for path, method, handler in routes:
        _complete(described["paths"][path][method.lower()], path, method, handler, schema_of)
    found = described.setdefault("components", {})
    found["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or a personal access token."}
    }
    found["schemas"] = {**found.get("schemas", {}), **components}
    _drop_unused(described)
    return msgspec.json.encode(described)


def _routes(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of every route that is described."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.resolve_include_in_schema():
                    yield route.path_format, method, handler


def _found_by_litestar(app: Litestar) -> dict[str, Any]:
    """What Litestar finds out about paths, parameters and answers."""
    config = OpenAPIConfig(
        title="HiveSync",
        version="1",
        description=DESCRIPTION,
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
    )
    plugin = OpenAPIPlugin(app)
    plugin.on_app_init(AppConfig(openapi_config=config))
    for route in app.routes:
        plugin.receive_route(route)
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plugin.provide_openapi_schema()))
    return described


def _operation_id(handler: HTTPRouteHandler, _: Any, __: Any) -> str:
    tags = handler.resolve_tags()
    return f"{tags[0].lower().replace(' ', '_')}_{handler.handler_name}" if tags else handler.handler_name


def _complete(
    operation: dict[str, Any], path: str, method: str, handler: HTTPRouteHandler, schema_of: dict[Any, Any]
) -> None:
    """Put exact bodies, headers and statuses into an operation."""
    access = handler.opt.get("access", "anyone")
    body_type, answer_type = _body_type(handler), _answer_type(handler)
    if body_type is not None:
        operation["requestBody"] = {
            "required": not handler.parsed_data_field.is_optional,  # type: ignore[union-attr]
            "content": {"application/json": {"schema": schema_of[body_type]}},
        }
    if "form" in handler.opt:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": handler.opt["form"]}},
        }
    if "files" in handler.opt:
        binary = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(handler.opt["files"], binary)}
    operation["parameters"] = [_without_null(each) for each in operation.get("parameters", ())]
    if handler.opt.get("is_command"):
        operation["parameters"].append(_IDEMPOTENCY_KEY)
        if handler.status_code not in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
            operation["parameters"].append(_if_match(required=bool(handler.opt.get("must_match"))))
    responses: dict[str, Any] = operation["responses"]
    if "400" in responses and 400 not in (handler.responses or {}):
        del responses["400"]
    if answer_type is not None:
        success = responses[str(handler.status_code)]
        success["content"] = {"application/json": {"schema": schema_of[answer_type]}}
        if "line" in handler.opt:
            success["content"][NDJSON] = {"schema": {"type": "string", "description": f"Lines: {handler.opt['line']}."}}
        if handler.opt.get("is_command"):
            success["headers"] = {"etag": {"schema": {"type": "string"}, "description": "The version."}}
    for status in _refused_with(operation, path, method, handler, access):
        responses.setdefault(str(status), _problem(status, schema_of))
    operation["responses"] = dict(sorted(responses.items()))
    operation["security"] = [] if access == "anyone" else [{"bearer": []}]
    if access in SCOPES:
        operation["description"] = f"{operation.get('description', '')}\n\nNeeds the scope `{access}`.".strip()


def _refused_with(
    operation: dict[str, Any], path: str, method: str, handler: HTTPRouteHandler, access: str
) -> set[int]:
    """The statuses beside success that a route can answer."""
    statuses: set[int] = set(handler.opt.get("statuses", ()))
    body = operation.get("requestBody")
    if not path.startswith(_BEHIND_AUTHENTICATION):
        return statuses
    statuses |= {429, 503}
    if access != "anyone":
        statuses |= {401, 403}
    if operation["parameters"] or body or method != "GET":
        statuses |= {400, 422}
    if "{" in path:
        statuses.add(404)
    if method != "GET":
        statuses |= {408, 409, 413}
    if body:
        statuses.add(415)
    if handler.opt.get("is_command"):
        statuses.add(412)
    if handler.opt.get("must_match"):
        statuses.add(428)
    if handler.opt.get("has_etag"):
        statuses.add(304)
    return statuses


def _problem(status: int, schema_of: dict[Any, Any]) -> dict[str, Any]:
    description = HTTPStatus(status).phrase
    if status == HTTPStatus.NOT_MODIFIED:
        return {"description": description}
    answer: dict[str, Any] = {
        "description": description,
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema_of[Problem]}},
    }
    if status in (429, 503):
        seconds = {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait."}
        answer["headers"] = {"retry-after": seconds}
    return answer


def _body_type(handler: HTTPRouteHandler) -> Any:
    field = handler.parsed_data_field
    if field is None:
        return None
    media_type = getattr(field.kwarg_definition, "media_type", None) or "application/json"
    return field.annotation if str(getattr(media_type, "value", media_type)) == "application/json" else None


def _answer_type(handler: HTTPRouteHandler) -> Any:
    """The msgspec type of a route's JSON; none where it answers something else."""
    if "answer" in handler.opt:
        return handler.opt["answer"]
    annotation = handler.parsed_fn_signature.return_type.annotation
    for each in alternatives(annotation):
        inner = get_args(each)[0] if get_origin(each) is Response else each
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return inner
    return None


def _without_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out; a query has no null."""
    schema = parameter.get("schema", {})
    for key in ("oneOf", "anyOf"):
        kinds = [kind for kind in schema.get(key, ()) if kind.get("type") != "null"]
        if len(kinds) == 1:
            rest = {name: value for name, value in schema.items() if name not in (key, "type", "default")}
            parameter["schema"] = {**kinds[0], **rest}
    if schema.get("maximum") is not None and "minimum" not in schema:
        # Litestar loses a bound of zero where a parameter may be left out.
        parameter["schema"] = {**parameter["schema"], "minimum": 0}
    if isinstance(parameter["schema"].get("type"), list):
        kinds = [kind for kind in parameter["schema"]["type"] if kind != "null"]
        parameter["schema"]["type"] = kinds[0] if len(kinds) == 1 else kinds
    parameter.pop("deprecated", None)
    parameter.pop("allowEmptyValue", None)
    parameter.pop("allowReserved", None)
    return parameter


def _drop_unused(described: dict[str, Any]) -> None:
    """Leave out schemas that nothing refers to."""
    schemas = described["components"]["schemas"]
    used: set[str] = set()
    looked_at: list[Any] = [described["paths"]]
    while looked_at:
        node = looked_at.pop()
        if isinstance(node, list):
            looked_at += node
        elif isinstance(node, dict):
            looked_at += node.values()
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in used:
                used.add(name)
                looked_at.append(schemas.get(name))
    described["components"]["schemas"] = {name: schemas[name] for name in sorted(used) if name in schemas}


_FOLDER = resources.files(__package__) / "swagger_ui"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>HiveSync API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/api/v1/docs/swagger-ui.css">
<link rel="icon" href="data:,">
<div id="swagger-ui"></div>
<script src="/api/v1/docs/swagger-ui-bundle.js"></script>
<script src="/api/v1/docs/start.js"></script>
</html>
"""


@get("/openapi.json", opt=ANYONE, include_in_schema=False)
async def description(request: ApiRequest) -> JsonAnswer:
    """The description, made when it is asked for first."""
    app: Any = request.app
    if app.description is None:
        app.description = describe(app)
    return JsonAnswer(app.description, (b"cache-control", b"no-cache"))


@get("/docs", opt=ANYONE, include_in_schema=False)
async def page(request: ApiRequest) -> ASGIResponse:
    """A page to read and to try the API."""
    return ASGIResponse(body=_PAGE, media_type="text/html", headers={"content-security-policy": _PAGE_POLICY})


def _asset(name: str, media_type: str) -> HTTPRouteHandler:
    """A route for one file of the page."""

    @get(f"/docs/{name}", opt=ANYONE, include_in_schema=False, name=f"docs-{name}")
    async def asset() -> ASGIResponse:
        return ASGIResponse(
            body=(_FOLDER / name).read_bytes(),
            media_type=media_type,
            headers={"cache-control": "public, max-age=86400"},
        )

    return asset


HANDLERS = (
    description,
    page,
    _asset("swagger-ui-bundle.js", "text/javascript"),
    _asset("swagger-ui.css", "text/css"),
    _asset("start.js", "text/javascript"),
)
