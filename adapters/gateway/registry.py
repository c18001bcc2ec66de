"""Every open socket, by what can end it: its token, its account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, Protocol
from uuid import UUID

import structlog

from adapters.identity.caller import Caller, Revoked
from adapters.identity.verification import TokenVerifier
from hivesync_core.eventstore.errors import StoreUnavailable
from shared.socket.close_codes import CloseCode

logger = structlog.get_logger(__name__)

RETRY_S: Final = 0.5
HELD_S_MAX: Final = 30.0
"""How long a socket may wait for word whether it still may be open; then it is closed."""


class Socket(Protocol):
    """An authenticated socket as the registry sees it."""

    @property
    def caller(self) -> Caller | None:
        """Who it is; none for a guest, who is never in a registry."""
        ...

    def hold(self) -> None:
        """Send nothing more until ``release``."""
        ...

    def release(self) -> None:
        """Go on, with what was left out."""
        ...

    def end(self, code: CloseCode, reason: str) -> None:
        """Close at once."""
        ...

    def heartbeat(self, frame: bytes) -> None:
        """Send a sign of life."""
        ...


class Registry:
    """Holds a socket the moment that anything is heard against it, and finds out whether it may go on.

    ``heard`` counts what was heard, so that whoever is about to add a socket can tell whether something came between.
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._sockets: dict[Socket, Caller] = {}
        self._by_id: dict[UUID, set[Socket]] = {}
        self._doubted: dict[Socket, float] = {}
        self._news = asyncio.Event()
        self.heard = 0

    def __len__(self) -> int:
        return len(self._sockets)

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._sockets))

    def add(self, socket: Socket) -> None:
        """Take a socket in, or take note that its token was renewed."""
        self.remove(socket)
        caller = socket.caller
        assert caller is not None
        self._sockets[socket] = caller
        for identifier in (caller.token_id, caller.account_id):
            self._by_id.setdefault(identifier, set()).add(socket)

    def remove(self, socket: Socket) -> None:
        """Forget a socket; nothing happens where it is not known."""
        caller = self._sockets.pop(socket, None)
        self._doubted.pop(socket, None)
        for identifier in () if caller is None else (caller.token_id, caller.account_id):
            sockets = self._by_id[identifier]
            sockets.discard(socket)
            if not sockets:
                del self._by_id[identifier]

    def of_account(self, account_id: UUID) -> list[Socket]:
        """The sockets of an account."""
        return list(self._by_id.get(account_id, ()))

    def doubt(self, revoked: Revoked) -> None:
        """Hold every socket that this may concern, until it is known whether it does."""
        self.heard += 1
        identifier = revoked.token_id or revoked.account_id
        at = asyncio.get_running_loop().time()
        for socket in list(self._sockets) if identifier is None else self.of_account(identifier):
            socket.hold()
            self._doubted.setdefault(socket, at)
        self._news.set()

    async def settle(self) -> None:
        """Find out about doubted sockets, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._doubted:
                socket = next(iter(self._doubted))
                try:
                    await self._settle(socket)
                except StoreUnavailable as error:
                    logger.warning("sockets_held", held=len(self._doubted), error=str(error))
                    self._end_those_held_too_long()
                    await asyncio.sleep(RETRY_S)

    async def _settle(self, socket: Socket) -> None:
        heard, caller = self.heard, self._sockets[socket]
        good = await self._verifier.is_still_good(caller)
        if socket.caller is not caller or socket not in self._doubted:
            return
        if not good:
            self.remove(socket)
            socket.end(CloseCode.REVOKED, "the token is good no more")
        elif heard == self.heard:
            del self._doubted[socket]
            socket.release()

    def _end_those_held_too_long(self) -> None:
        too_long_ago = asyncio.get_running_loop().time() - HELD_S_MAX
        for socket in [socket for socket, since in self._doubted.items() if since < too_long_ago]:
            self.remove(socket)
            socket.end(CloseCode.TRY_AGAIN, "the database does not answer")
