"""The doors that the load knocks at: the Log in this process, or the API of a server in another."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol
from uuid import UUID

import msgspec

from adapters.ids import now, uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from hivesync_core.eventstore.errors import StoreError, UnexpectedVersion
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import Idempotency
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import Role
from hivesync_core.tasks.commands import CommentTask, CreateTask, EditTask, RequestHelp, TaskCommand, WithdrawHelp
from hivesync_core.tasks.decider import task
from tests.faults.http_line import HttpLines
from tests.faults.orders import Answer, Order

REQUEST_WAIT_S = 6.0
"""How long a client waits for an answer; one was promised after five seconds at the latest."""

_NOT_NOW = (429, 502, 503)
_NO_ANSWER = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)


class Door(Protocol):
    """Takes an order and says what became of it; it never raises."""

    async def give(self, order: Order) -> Answer:
        """Send the order once."""
        ...

    async def shows(self, answer: Answer) -> bool | None:
        """Whether who asks for the position of an answer is shown what it did; none where nothing is shown now."""
        ...


class LogDoor:
    """The write side in this process, without a server around it."""

    def __init__(self, url: str, account_id: UUID | None = None) -> None:
        self.database = Database(url)
        self.appender = GroupCommit(self.database)
        catalogue = the_catalogue()
        reader = PostgresStreamReader(self.database, catalogue)
        self.log = Log(self.appender, reader, MsgspecMapper(catalogue), uuid7)
        self._by = AccountId(account_id or uuid7())
        self._project = ProjectId(uuid7())

    async def __aenter__(self) -> LogDoor:
        await self.database.open()
        await self.appender.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.appender.stop()
        await self.database.close()

    async def give(self, order: Order) -> Answer:
        """Give the command to the Log; its errors become the statuses that the API has for them."""
        stream_id, at = order.task_id or uuid7(), now()
        idempotency = Idempotency(str(self._by), order.key, order.mark.encode().ljust(32)[:32])
        context = Context(str(self._by), at, uuid7(), uuid7(), idempotency=idempotency)
        command = self._command(order, at)
        try:
            outcome = await self.log.execute(task, stream_id, command, context, expected_version=order.version)
        except Refusal as error:
            return Answer(409, detail=str(error))
        except UnexpectedVersion as error:
            return Answer(412, detail=str(error))
        except StoreError as error:
            return Answer(503, detail=str(error))
        return Answer(200, outcome.stream_id, outcome.version, outcome.position, outcome.replayed)

    async def shows(self, answer: Answer) -> bool | None:
        """Nothing is shown here."""
        return None

    def _command(self, order: Order, at: Any) -> TaskCommand:
        by, role = self._by, Role.OWNER
        match order.kind:
            case "create":
                return CreateTask(by=by, role=role, at=at, project_id=self._project, title=order.mark)
            case "comment":
                return CommentTask(by=by, role=role, at=at, comment_id=uuid7(), text=order.mark)
            case "edit":
                return EditTask(by=by, role=role, at=at, description=order.mark)
            case "request_help":
                return RequestHelp(by=by, role=role, at=at, reason=order.mark)
            case "withdraw_help":
                return WithdrawHelp(by=by, role=role, at=at)


class HttpDoor:
    """The API of one server."""

    def __init__(self, base_url: str, token: str, project_id: UUID) -> None:
        self._project_id = project_id
        self._lines = HttpLines(base_url, {"authorization": f"Bearer {token}"})

    async def __aenter__(self) -> HttpDoor:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._lines.close()

    async def give(self, order: Order) -> Answer:
        """Send the request; status 0 where no whole answer came."""
        method, path, body = self._request(order)
        headers = {"idempotency-key": order.key}
        content = b"" if body is None else msgspec.json.encode(body)
        if body is not None:
            headers["content-type"] = "application/json"
        if order.version is not None:
            headers["if-match"] = f'"{order.version}"'
        try:
            async with asyncio.timeout(REQUEST_WAIT_S):
                response = await self._lines.request(method, path, headers, content)
        except _NO_ANSWER as error:
            return Answer(0, detail=repr(error))
        if response.status >= 300:
            return Answer(response.status, detail=response.body[:500].decode(errors="replace"))
        told = msgspec.json.decode(response.body)
        replayed = "idempotent-replayed" in response.headers
        return Answer(response.status, UUID(told["id"]), told["version"], told["position"], replayed)

    async def shows(self, answer: Answer) -> bool | None:
        """Read the task at the answer's position or later: its version must be the answer's, or a later one."""
        headers = {"hivesync-min-position": str(answer.position)}
        try:
            async with asyncio.timeout(REQUEST_WAIT_S):
                response = await self._lines.request("GET", f"/api/v1/tasks/{answer.task_id}", headers)
        except _NO_ANSWER:
            return None
        if response.status in _NOT_NOW:
            return None
        shown = response.headers.get("etag", "").strip('W/"')
        return response.status == 200 and shown.isdigit() and int(shown) >= answer.version

    def _request(self, order: Order) -> tuple[str, str, dict[str, str] | None]:
        task_path = f"/api/v1/tasks/{order.task_id}"
        match order.kind:
            case "create":
                return "POST", f"/api/v1/projects/{self._project_id}/tasks", {"title": order.mark}
            case "comment":
                return "POST", f"{task_path}/comments", {"text": order.mark}
            case "edit":
                return "PATCH", task_path, {"description": order.mark}
            case "request_help":
                return "POST", f"{task_path}/request-help", {"reason": order.mark}
            case "withdraw_help":
                return "POST", f"{task_path}/withdraw-help", None
