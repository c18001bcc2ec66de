"""Files for the tests of imports, in every form that issues and tables come in."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

from adapters.imports.drafts import Draft, Flaw, Piece
from adapters.imports.github import read_github
from adapters.imports.table import TableOptions, read_table


def issue(number: int, **fields: Any) -> dict[str, Any]:
    """An issue as GitHub's REST API gives it, with more in it than is read."""
    repository = "https://api.github.com/repos/garden/gate"
    return {
        "url": f"{repository}/issues/{number}",
        "repository_url": repository,
        "html_url": f"https://github.com/garden/gate/issues/{number}",
        "id": 1_000_000 + number,
        "number": number,
        "title": f"The gate squeaks, time {number}",
        "user": {"login": "octocat", "id": 2, "site_admin": False},
        "labels": [{"id": 3, "name": "noise", "color": "f00", "default": False}],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 3,
        "created_at": "2022-09-13T12:00:00Z",
        "updated_at": "2023-01-01T00:00:00Z",
        "closed_at": None,
        "pull_request": None,
        "body": 'Every day.\r\n\r\nIn { brackets } and "quotes" \\ too: [x] ☃ \u2028',
        "reactions": {"+1": 0, "url": f"{repository}/issues/{number}/reactions"},
        "state_reason": None,
        **fields,
    }


def closed(number: int, **fields: Any) -> dict[str, Any]:
    """A closed issue."""
    times = {"closed_at": "2022-12-22T12:00:00Z", "state_reason": "completed"}
    return issue(number, **{"state": "closed", **times, **fields})


GH_FIELDS = "number,title,body,state,stateReason,labels,assignees,author,createdAt,updatedAt,closedAt,url"


def as_gh_writes(issues: list[dict[str, Any]]) -> bytes:
    """The same issues as ``gh issue list --state all --json`` with ``GH_FIELDS`` gives them."""
    written = [
        {
            "assignees": [{"id": "MDQ6", "login": one["login"], "name": ""} for one in of_api["assignees"]],
            "author": _gh_author(of_api["user"]["login"]),
            "body": of_api["body"] or "",
            "closedAt": of_api["closed_at"],
            "createdAt": of_api["created_at"],
            "labels": [
                {"id": "LA_", "name": one["name"], "description": "", "color": "f00"} for one in of_api["labels"]
            ],
            "number": of_api["number"],
            "state": of_api["state"].upper(),
            "stateReason": (of_api["state_reason"] or "").upper(),
            "title": of_api["title"],
            "updatedAt": of_api["updated_at"],
            "url": of_api["html_url"],
        }
        for of_api in issues
    ]
    return json.dumps(written, ensure_ascii=False).encode() + b"\n"


def _gh_author(login: str) -> dict[str, Any]:
    is_bot = login.endswith("[bot]")
    return {"is_bot": is_bot, "login": f"app/{login.removesuffix('[bot]')}" if is_bot else login}


def lines_of(issues: list[dict[str, Any]]) -> bytes:
    """JSON Lines, as they are collected from the API."""
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in issues)


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "lines": lines_of,
    "lines without a last line end": lambda issues: lines_of(issues).rstrip(),
    "lines with empty ones between": lambda issues: lines_of(issues).replace(b"\n", b"\r\n\n"),
    "one array": lambda issues: json.dumps(issues).encode(),
    "an array on many lines": lambda issues: json.dumps(issues, indent=2).encode() + b"\n",
    "arrays after each other, as gh api --paginate writes them": lambda issues: (
        json.dumps(issues[:2]).encode() + json.dumps(issues[2:]).encode()
    ),
    "pages in one array, as gh api --paginate --slurp writes them": lambda issues: json.dumps(
        [issues[:2], [], issues[2:]]
    ).encode(),
    "objects on many lines": lambda issues: b"\n".join(json.dumps(one, indent=1).encode() for one in issues),
    "with a byte order mark": lambda issues: b"\xef\xbb\xbf" + lines_of(issues),
    "packed": lambda issues: gzip.compress(lines_of(issues)),
    "packed in several members": lambda issues: (
        gzip.compress(lines_of(issues[:1])) + gzip.compress(lines_of(issues[1:]))
    ),
    "packed and padded": lambda issues: gzip.compress(lines_of(issues)) + b"\0" * 512,
}
"""The same issues in every form that is taken."""


class Slow(io.BytesIO):
    """A stream that gives a few bytes at a time, so that everything is cut somewhere."""

    def __init__(self, data: bytes, at_once: int) -> None:
        super().__init__(data)
        self._at_once = at_once

    def read(self, size: int | None = -1) -> bytes:
        """At most so many bytes."""
        return super().read(self._at_once)


def github(data: bytes, at_once: int = 1 << 20, **options: bool) -> list[Piece]:
    """What is read of a GitHub file."""
    return list(read_github(Slow(data, at_once), **options))


def table(text: str | bytes, **options: Any) -> list[Piece]:
    """What is read of a CSV file."""
    data = text.encode() if isinstance(text, str) else text
    return list(read_table(io.BytesIO(data), TableOptions(**options)))


def drafts(pieces: list[Piece]) -> list[Draft]:
    """The tasks among the pieces."""
    return [piece for piece in pieces if isinstance(piece, Draft)]


def flaws(pieces: list[Piece]) -> list[Flaw]:
    """What is wrong with the others."""
    return [piece for piece in pieces if isinstance(piece, Flaw)]
