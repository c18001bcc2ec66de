"""Where `hivesync docs` gets its comments from: a HiveSync server, or a model that it asks itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import httpx2
import msgspec

from adapters.ai.asking import Unanswered, ask_for_comments
from adapters.ai.endpoint import endpoint_of, open_provider
from adapters.ai.faults import AskingFailed
from adapters.ai.improving import improved
from adapters.ai.prompting import FileToDocument
from adapters.reviewing.insertion import as_comment
from adapters.safety.checker import SafetyChecker, SafetyError
from hivesync_core.comments import FileRefused
from hivesync_core.prompts.template import BUILT_IN
from hivesync_core.reviews.events import Style
from hivesync_core.settings.decider import AiSettings

LOOK_EVERY_S: Final = 0.25
ANSWER_WAIT_S: Final = 60.0
REVIEW_WAIT_S: Final = 3_600.0


class DocsFailed(Exception):
    """One file cannot be documented; the message says why and what to do. ``refused`` says that it never will be."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class FileAtHand(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was read: ``name`` is how it is told to others, relative with ``/``."""

    path: Path
    name: str
    language: str
    source: bytes


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Comments for a file. ``own_s`` is the time that was not spent on waiting for a model or a server."""

    comments: dict[int, Any]
    refused: list[dict[str, Any]]
    usage: dict[str, Any] | None
    own_s: float
    review_id: str | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided: which comments stand as they were, which in other words, and the file that comes of it."""

    approved: tuple[int, ...]
    edited: dict[int, str]
    discarded: tuple[int, ...]
    after_sha256: str


class Backend(Protocol):
    """Somebody who suggests comments, and hears what was decided."""

    async def propose(self, file: FileAtHand, style: Style) -> Proposal:
        """Comments for a file; raises ``DocsFailed``."""
        ...

    async def tell(self, file: FileAtHand, proposal: Proposal, decided: Decided) -> None:
        """Hear what was decided, before the file is written; raises ``DocsFailed`` where it must not be."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class LocalBackend:
    """Asks the model from here, with the built-in prompt and the same checks as a server."""

    def __init__(self, checker: SafetyChecker, chosen: AiSettings, api_key: str | None) -> None:
        self._checker, self._chosen, self._api_key = checker, chosen, api_key

    async def propose(self, file: FileAtHand, style: Style) -> Proposal:
        """Ask and check."""
        began = time.perf_counter()
        try:
            await self._checker.check(file.source, file.language, [])
            provider = await open_provider(endpoint_of(self._chosen, self._api_key))
            told = FileToDocument(path=file.name, language=file.language, source=file.source.decode(), style=style)
            try:
                asked = await ask_for_comments(provider, self._chosen, BUILT_IN, told)
                report = await self._checker.check(file.source, file.language, asked.comments)
                made = await improved(provider, self._checker, self._chosen, BUILT_IN, told, asked, report)
            finally:
                await provider.close()
        except FileRefused as refusal:
            raise DocsFailed(refusal.reason, refused=True) from None
        except (AskingFailed, Unanswered, SafetyError) as failure:
            raise DocsFailed(str(failure)) from None
        return Proposal(
            comments={one.index: made.comments[one.index] for one in made.report.accepted},
            refused=[{"index": one.index, "code": one.code, "reason": one.reason} for one in made.report.refused],
            usage=msgspec.structs.asdict(made.usage),
            own_s=time.perf_counter() - began - made.usage.duration_ms / 1000,
        )

    async def tell(self, file: FileAtHand, proposal: Proposal, decided: Decided) -> None:
        """Nobody else wants to know."""

    async def close(self) -> None:
        """Nothing is held."""


class ServerBackend:
    """Submits to a HiveSync server as somebody with a token of the scopes read and write."""

    def __init__(self, base_url: str, token: str, project: str) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._client = httpx2.AsyncClient(base_url=base_url.rstrip("/"), headers=headers, timeout=ANSWER_WAIT_S)
        self._project = project
        self._finding = asyncio.Lock()
        self._project_id: str | None = None

    async def propose(self, file: FileAtHand, style: Style) -> Proposal:
        """Submit, and wait until the comments are there."""
        body = {
            "path": file.name,
            "source": file.source.decode(),
            "language": file.language,
            "style": msgspec.to_builtins(style),
        }
        shown = await self._send("POST", f"/api/v1/projects/{await self._found_project()}/reviews", body)
        async with asyncio.timeout(REVIEW_WAIT_S):
            while shown["status"] in ("requested", "generating"):
                await asyncio.sleep(LOOK_EVERY_S)
                shown = await self._send("GET", f"/api/v1/reviews/{shown['review_id']}")
        if shown["status"] != "ready":
            why = f"{shown.get('message') or shown['status']} ({shown.get('code') or shown['status']})"
            raise DocsFailed(why, refused=shown["status"] == "refused")
        return Proposal(
            comments={
                one["index"]: as_comment(one["type"], one["target"]["line"], one["content"])
                for one in shown["comments"]
            },
            refused=shown["refused"],
            usage=shown["usage"],
            own_s=0.0,
            review_id=shown["review_id"],
        )

    async def tell(self, file: FileAtHand, proposal: Proposal, decided: Decided) -> None:
        """Have the decisions in the log, and the server's own file with them, which must be the same as ours."""
        path = f"/api/v1/reviews/{proposal.review_id}"
        if decided.approved:
            await self._send("POST", f"{path}/approve", {"indexes": decided.approved})
        if decided.discarded:
            await self._send("POST", f"{path}/discard", {"indexes": decided.discarded})
        for index, content in decided.edited.items():
            await self._send("POST", f"{path}/comments/{index}/edit", {"content": content})
        if decided.approved or decided.edited:
            applied = await self._send("POST", f"{path}/apply", {})
            if sha256(applied["source"].encode()).hexdigest() != decided.after_sha256:
                raise DocsFailed("The server's proof came to another file than the one here. Nothing was written.")
        await self._send("POST", f"{path}/close")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _found_project(self) -> str:
        """The project's id by its name or id, asked for once."""
        async with self._finding:
            if self._project_id is None:
                self._project_id = await self._find_project()
        return self._project_id

    async def _find_project(self) -> str:
        cursor: str | None = None
        names: list[str] = []
        while True:
            query = f"?limit=200&cursor={cursor}" if cursor else "?limit=200"
            page = await self._send("GET", f"/api/v1/projects{query}")
            for one in page["items"]:
                if one["name"].casefold() == self._project.casefold() or one["project_id"] == _uuid(self._project):
                    return str(one["project_id"])
                names.append(one["name"])
            cursor = page["next_cursor"]
            if cursor is None:
                raise DocsFailed(f"There is no project {self._project}. Yours are: {', '.join(names[:20]) or 'none'}.")

    async def _send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The JSON of an answer; raises ``DocsFailed`` with what the problem says."""
        try:
            answer = await self._client.request(method, path, json=body)
            told: dict[str, Any] = answer.json()
        except httpx2.HTTPError as error:
            raise DocsFailed(f"The server does not answer ({type(error).__name__}): look at --server.") from None
        except ValueError:
            raise DocsFailed(f"{path} answers no JSON: is this a HiveSync server?") from None
        if answer.is_error:
            comments: Sequence[dict[str, Any]] = told.get("comments") or ()
            more = "".join(f" Comment {one['index']}: {one['reason']}" for one in comments)
            raise DocsFailed(f"{told.get('detail') or told.get('title') or answer.status_code}{more}")
        return told


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
