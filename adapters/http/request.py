"""A request as handlers see it: with its services, its correlation id, and a body that is checked as it is parsed."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import URL, State
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath
from litestar.types.empty import Empty

from adapters.http.failures import (
    BodyInvalid,
    BodyMalformed,
    BodyTooSlow,
    Disconnected,
    HeaderInvalid,
    MediaTypeUnknown,
)
from adapters.http.limits import BODY_WAIT_S, JSON_BODY_BYTES_MAX
from adapters.http.services import Services
from adapters.identity.caller import Caller
from hivesync_core.eventstore.patience import within

CORRELATION_KEY = "hivesync.correlation_id"
"""Where the edge puts the request's correlation id into the ASGI scope."""

PathId: TypeAlias = FromPath[UUID]
"""An id in a route's path."""


class ApiRequest(Request[Caller, Any, State]):
    """``user`` is the caller where the route asks for one."""

    @property
    def services(self) -> Services:
        """What the composition root has put together."""
        services: Services = self.scope["litestar_app"].services  # type: ignore[attr-defined]
        return services

    @property
    def correlation_id(self) -> UUID:
        """Shared by everything that this request sets in motion."""
        correlation_id: UUID = self.scope[CORRELATION_KEY]  # type: ignore[literal-required]
        return correlation_id

    @property
    def url(self) -> URL:
        """The address that was asked for; raises ``HeaderInvalid`` where the header ``Host`` makes none."""
        try:
            return super().url
        except ValueError as error:
            raise HeaderInvalid("Host", "it is no address") from error

    async def body(self) -> bytes:
        """The whole body; raises ``RequestEntityTooLarge`` as soon as it is known to be larger than the route takes.

        It does what Litestar's does without the generator and the parsed headers, which cost as much as the command.
        """
        if self._body is Empty:
            self._body = self._connection_state.body = await self._receive_all()
        return self._body

    async def _receive_all(self) -> bytes:
        bytes_max = self.route_handler.resolve_request_max_body_size() or JSON_BODY_BYTES_MAX
        announced = header(self.scope, b"content-length")
        if announced == b"0":
            return b""
        if announced is not None and int(announced) > bytes_max:
            raise RequestEntityTooLarge
        message: Any = await self._receive_within(BODY_WAIT_S)
        parts: list[bytes] = [message["body"]]
        size = len(message["body"])
        until = asyncio.get_running_loop().time() + BODY_WAIT_S
        while message.get("more_body", False) and size <= bytes_max:
            message = await self._receive_within(until - asyncio.get_running_loop().time())
            parts.append(message["body"])
            size += len(message["body"])
        if size > bytes_max:
            raise RequestEntityTooLarge
        self.is_connected = False
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _receive_within(self, wait_s: float) -> Any:
        """The next part of the body; raises ``BodyTooSlow`` or ``Disconnected``."""
        try:
            with within(wait_s):
                message = await self.receive()
        except TimeoutError as error:
            raise BodyTooSlow(BODY_WAIT_S) from error
        if message["type"] == "http.disconnect":
            raise Disconnected
        return message

    async def json(self) -> Any:
        """The body as the handler's ``data`` parameter wants it, decoded and checked in one pass, strictly.

        Raises ``BodyMalformed`` where it is no JSON, ``BodyInvalid`` where it is something else than what is wanted,
        ``MediaTypeUnknown`` where it does not say that it is JSON.
        """
        refuse_other_media_types(self.scope)
        field = self.route_handler.parsed_data_field
        annotation = Any if field is None else field.annotation
        return decode_json(
            await self.body() or (b"null" if field is not None and field.is_optional else b""), annotation
        )


def header(scope: Any, name: bytes) -> bytes | None:
    """The first header of this name, none where there is no such header."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def refuse_other_media_types(scope: Any) -> None:
    """Raise ``MediaTypeUnknown`` where the body says that it is something else than JSON."""
    content_type = header(scope, b"content-type")
    if content_type is None or content_type == b"application/json":
        return
    media_type = content_type.partition(b";")[0].strip().lower().decode("latin-1")
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise MediaTypeUnknown(media_type)


def decode_json(body: bytes, wanted: Any) -> Any:
    """JSON of the type that is wanted; raises ``BodyMalformed`` or ``BodyInvalid``."""
    try:
        return _decoder(wanted).decode(body)
    except msgspec.ValidationError as error:
        raise BodyInvalid(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyMalformed(
            "The body is empty; JSON is wanted." if not body else f"The body is no JSON: {error}."
        ) from error
    except RecursionError as error:
        raise BodyMalformed("The JSON is nested too deeply.") from error


@cache
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted, strict=True)
