"""Rooms across processes: the one that has the host feeds copies in the others, by hints over Redis that may be lost.

A copy asks its home every ``ASK_EVERY_S`` with the last number that it has, and at once when a number is missing; the
home answers with what was missed, or with everything. What travels is encrypted with the session's own key, and Redis
keeps nothing of it: it is published, never stored.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from contextlib import suppress
from typing import Final, Literal
from uuid import UUID

import msgspec
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.gateway.live.copying import Copy, CopyLost
from adapters.gateway.live.faults import log_fault
from adapters.gateway.live.hall import Hall
from adapters.gateway.live.rows import Place
from adapters.gateway.live.socket import Surroundings
from hivesync_core.live.commands import AWAY_MAX
from shared.socket.live import HostStatus
from shared.socket.live_limits import READY_WAIT_S

ASK_EVERY_S: Final = 1.0
SILENT_S_MAX: Final = 3.5
"""A home that has not answered for so long is taken for dead; its host has to come back somewhere else."""

COPIES_S: Final = 10.0
"""A home feeds copies until none has asked for so long."""

WAITING_BYTES_MAX: Final = 33_554_432
"""Bytes that wait for Redis; what does not fit is left out, and asked for again."""

PAUSE_S: Final = 0.5
_NONCE_BYTES: Final = 12
_PREFIX: Final = "hivesync:live:"

logger = structlog.get_logger(__name__)

Kind = Literal["frames", "picture", "new_home", "want", "roster"]


class Hint(msgspec.Struct, frozen=True, array_like=True):
    """What one process tells others: ``data`` are frames, ``last`` the number of the last of them, or that one has."""

    kind: Kind
    node: UUID
    epoch: int
    first: int = 0
    last: int = 0
    data: bytes = b""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Hint).decode


class Relay:
    """The connection of a process to the others."""

    def __init__(self, redis_url: str, around: Surroundings) -> None:
        self._around = around
        self._redis: Redis = Redis.from_url(
            redis_url, socket_timeout=None, socket_connect_timeout=2, socket_keepalive=True, health_check_interval=5
        )
        self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        self._homes: dict[UUID, float] = {}
        self._copies: dict[UUID, Copy] = {}
        self._wanted: set[str] = set()
        self._changed = asyncio.Event()
        self._outgoing: deque[tuple[str, bytes]] = deque()
        self._outgoing_bytes = 0
        self._has_outgoing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen and to ask."""
        self._want(self._node_channel(self._around.node))
        self._tasks = [
            asyncio.create_task(self._listen(), name="live-relay-listen"),
            asyncio.create_task(self._publish(), name="live-relay-publish"),
            asyncio.create_task(self._ask_for_ever(), name="live-relay-ask"),
        ]

    async def stop(self) -> None:
        """Stop to listen."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]
            await self._redis.aclose()

    # --- what rooms call ---------------------------------------------------------------------------------------------

    def be_home(self, hall: Hall) -> None:
        """The host is here: feed whoever asks."""
        self._copies.pop(hall.session_id, None)
        self._homes.setdefault(hall.session_id, 0.0)
        hall.room.on_written = lambda first, last, data: self._feed(hall, first, last, data)
        self._forget_channel(self._feed_channel(hall.session_id))
        self._want(self._ask_channel(hall.session_id))
        self._send(hall, self._feed_channel(hall.session_id), "new_home", last=hall.room.seq)

    def be_copy(self, hall: Hall, place: Place) -> None:
        """The host is elsewhere: do what its room does."""
        self._homes.pop(hall.session_id, None)
        hall.room.on_written = None
        hall.wire_key = place.wire_key
        self._copies[hall.session_id] = Copy(hall.room)
        self._forget_channel(self._ask_channel(hall.session_id))
        self._want(self._feed_channel(hall.session_id))
        self._ask(hall)
        asyncio.get_running_loop().call_later(READY_WAIT_S, hall.room.settled.set)

    def leave(self, hall: Hall) -> None:
        """The session is not served here any more."""
        self._homes.pop(hall.session_id, None)
        self._copies.pop(hall.session_id, None)
        hall.room.on_written = None
        self._forget_channel(self._ask_channel(hall.session_id))
        self._forget_channel(self._feed_channel(hall.session_id))

    def roster_changed(self, hall: Hall) -> None:
        """Tell the home that other viewers watch."""
        self._send(hall, self._ask_channel(hall.session_id), "roster")

    # --- home --------------------------------------------------------------------------------------------------------

    def _feed(self, hall: Hall, first: int, last: int, data: bytes) -> None:
        if time.monotonic() < self._homes.get(hall.session_id, 0.0):
            self._send(hall, self._feed_channel(hall.session_id), "frames", first=first, last=last, data=data)

    def _answer(self, hall: Hall, hint: Hint) -> None:
        room = hall.room
        self._homes[hall.session_id] = time.monotonic() + COPIES_S
        if not room.settled.is_set():
            return
        room.fan_out.settle()
        channel = self._node_channel(hint.node)
        missed = room.missed(hint.epoch, hint.last)
        if missed is not None:
            self._send(hall, channel, "frames", first=hint.last + 1, last=missed.seq, data=missed.frames)
        else:
            picture = room.picture()
            self._send(hall, channel, "picture", last=picture.seq, data=b"".join(picture.frames))

    # --- copy --------------------------------------------------------------------------------------------------------

    def _ask(self, hall: Hall) -> None:
        copy = self._copies[hall.session_id]
        self._send(hall, self._ask_channel(hall.session_id), "want", epoch=copy.epoch, last=copy.seen)

    async def _ask_for_ever(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            for session_id, copy in list(self._copies.items()):
                hall = self._around.rooms.get(session_id)
                if hall is not None:
                    self._ask(hall)
                    if copy.silent_s > SILENT_S_MAX and hall.room.host_status.status == "here":
                        away = HostStatus(status="away", resumes_until=self._around.clock() + AWAY_MAX)
                        hall.room.announce(away)

    def _follow(self, hall: Hall, hint: Hint) -> None:
        copy = self._copies[hall.session_id]
        try:
            match hint.kind:
                case "frames":
                    copy.frames(hint.epoch, hint.first, hint.last, hint.data)
                case "picture":
                    copy.picture(hint.epoch, hint.last, hint.data)
                case _:
                    self._ask(hall)
        except CopyLost as lost:
            logger.info("live_copy_lost", session=str(hall.session_id), cause=lost.cause)
            self._ask(hall)

    # --- Redis -------------------------------------------------------------------------------------------------------

    def _send(
        self,
        hall: Hall,
        channel: str,
        kind: Kind,
        *,
        epoch: int | None = None,
        first: int = 0,
        last: int = 0,
        data: bytes = b"",
    ) -> None:
        if self._outgoing_bytes + len(data) > WAITING_BYTES_MAX:
            return
        hint = Hint(kind, self._around.node, hall.room.epoch if epoch is None else epoch, first, last, data)
        nonce, session = os.urandom(_NONCE_BYTES), hall.session_id.bytes
        message = session + nonce + AESGCM(hall.wire_key).encrypt(nonce, _encode(hint), session)
        self._outgoing.append((channel, message))
        self._outgoing_bytes += len(message)
        self._has_outgoing.set()

    async def _publish(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            while self._outgoing:
                channel, message = self._outgoing.popleft()
                self._outgoing_bytes -= len(message)
                try:
                    async with asyncio.timeout(2):
                        await self._redis.publish(channel, message)
                except (RedisError, OSError) as error:
                    logger.warning("live_relay_without_redis", error=type(error).__name__)
                    self._outgoing.clear()
                    self._outgoing_bytes = 0
                    await asyncio.sleep(PAUSE_S)

    async def _listen(self) -> None:
        while True:
            try:
                await self._pubsub.subscribe(*self._wanted)
                await self._read()
            except (RedisError, OSError) as error:
                logger.warning("live_relay_without_redis", error=type(error).__name__)
                with suppress(RedisError, OSError):
                    await self._pubsub.aclose()  # type: ignore[no-untyped-call]
                self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
                await asyncio.sleep(PAUSE_S)
            except Exception as error:  # noqa: BLE001 - logged, without what it says
                log_fault("live_relay_failed", error)
                await asyncio.sleep(PAUSE_S)

    async def _read(self) -> None:
        """Take hints, and listen on what is wanted, until the connection is lost."""
        subscribed = set(self._wanted)
        while True:
            if self._changed.is_set():
                self._changed.clear()
                wanted = set(self._wanted)
                if new := wanted - subscribed:
                    await self._pubsub.subscribe(*new)
                if old := subscribed - wanted:
                    await self._pubsub.unsubscribe(*old)
                subscribed = wanted
                self._ask_anew()
            message = await self._pubsub.get_message(timeout=0.2)
            if message is not None and message["type"] == "message":
                self._hear(message["data"])

    def _ask_anew(self) -> None:
        for session_id in self._copies:
            hall = self._around.rooms.get(session_id)
            if hall is not None:
                self._ask(hall)

    def _hear(self, message: bytes) -> None:
        hall = self._around.rooms.get(UUID(bytes=message[:16])) if len(message) > 16 + _NONCE_BYTES else None
        if hall is None:
            return
        nonce = message[16 : 16 + _NONCE_BYTES]
        try:
            hint = _decode(AESGCM(hall.wire_key).decrypt(nonce, message[16 + _NONCE_BYTES :], message[:16]))
        except (InvalidTag, msgspec.DecodeError):
            logger.warning("live_relay_foreign_message", session=str(hall.session_id))
            return
        if hint.node == self._around.node:
            return
        if hall.session_id in self._homes:
            if hint.kind == "want":
                self._answer(hall, hint)
            elif hint.kind == "roster":
                self._around.rooms.roster.changed(hall)
        elif hall.session_id in self._copies:
            self._follow(hall, hint)

    def _want(self, channel: str) -> None:
        self._wanted.add(channel)
        self._changed.set()

    def _forget_channel(self, channel: str) -> None:
        self._wanted.discard(channel)
        self._changed.set()

    def _feed_channel(self, session_id: UUID) -> str:
        return f"{_PREFIX}{session_id}:feed"

    def _ask_channel(self, session_id: UUID) -> str:
        return f"{_PREFIX}{session_id}:ask"

    def _node_channel(self, node: UUID) -> str:
        return f"{_PREFIX}node:{node}"
