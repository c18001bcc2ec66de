"""The way to the provider: HTTP with a limit on what may come back, whatever the other side sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx2

ERROR_BYTES_MAX: Final = 65_536
"""Bytes that are read of an error's page, which says nothing that its status does not say."""

ANSWER_BYTES_MAX: Final = 2_000_000
"""Bytes of an answer on the wire, with everything that the protocol puts around it."""

CONNECT_WAIT_S: Final = 10.0
CONNECTIONS_MAX: Final = 16


class TooManyBytes(Exception):
    """The other side sends more than any answer needs."""


class PackedAnswer(Exception):
    """The other side compresses what it sends, though that was not asked for: what is small here may be without end unpacked."""


class _Bounded(httpx2.AsyncByteStream):
    """A body that is read up to its limit and no further."""

    def __init__(self, stream: httpx2.AsyncByteStream, *, is_error: bool) -> None:
        self._stream, self._is_error = stream, is_error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for part in self._stream:
            received += len(part)
            if self._is_error and received > ERROR_BYTES_MAX:
                return
            if received > ANSWER_BYTES_MAX:
                raise TooManyBytes
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """HTTP whose answers end with ``TooManyBytes`` when they grow too large.

    Nothing compressed is asked for or taken (``PackedAnswer``). Of an answer that is an error, what is too much is left out.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        is_error = response.status_code >= 300
        if response.headers.get("content-encoding", "identity") != "identity":
            if is_error:
                del response.headers["content-encoding"]  # its page is not read, so nor is it unpacked
                response.stream = _Bounded(response.stream, is_error=True)
                return response
            await response.stream.aclose()
            raise PackedAnswer
        response.stream = _Bounded(response.stream, is_error=is_error)
        return response


def new_client(timeout_s: float) -> httpx2.AsyncClient:
    """A client of the provider. It follows no redirection: the key is for one address alone."""
    limits = httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=4)
    return httpx2.AsyncClient(
        transport=BoundedTransport(limits=limits),
        timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_WAIT_S, timeout_s)),
        follow_redirects=False,
        trust_env=False,
    )
