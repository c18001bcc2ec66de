"""Refuses queries that Litestar would read as something else: a value given twice, and `null` where a number stands."""

from __future__ import annotations

from functools import cache
from typing import get_origin
from urllib.parse import parse_qsl

from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.http.annotations import alternatives
from adapters.http.failures import QueryInvalid

_MANY = (list, tuple, set, frozenset)


def plain_query(app: ASGIApp) -> ASGIApp:
    """A middleware. Litestar takes the last of several values, and `null` for a parameter that was left out.

    It raises ``QueryInvalid``. Not a guard of Litestar's: that copies the whole handler for each request, and runs in a
    thread where it does not wait for anything.
    """

    async def look_at_the_query(scope: Scope, receive: Receive, send: Send) -> None:
        query: bytes = scope["query_string"]
        if query:
            _refuse_twisted(query, scope["route_handler"])
        await app(scope, receive, send)

    return look_at_the_query


def _refuse_twisted(query: bytes, handler: BaseRouteHandler) -> None:
    single = _single_parameters(handler)
    seen = set[str]()
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in single:
            continue
        if name in seen:
            raise QueryInvalid(name, "is given more than once; give it once")
        if value == "null" and not single[name]:
            raise QueryInvalid(name, "is null; leave it out instead")
        seen.add(name)


@cache
def _single_parameters(handler: BaseRouteHandler) -> dict[str, bool]:
    """The query parameters that hold one value, and whether that may be any text."""
    single = {}
    for name, field in handler.parsed_fn_signature.parameters.items():
        if isinstance(field.kwarg_definition, QueryParameter):
            kinds = alternatives(field.annotation)
            if not any((get_origin(kind) or kind) in _MANY for kind in kinds):
                single[field.kwarg_definition.name or name] = str in kinds
    return single
