"""Reads issues as GitHub's REST API gives them (an array or JSON Lines), or as ``gh issue list --json`` does."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, BinaryIO

import msgspec

from adapters.imports.drafts import Draft, Flaw, Piece, Pieces, Skipped
from adapters.imports.json_items import Item, items
from adapters.imports.unpacking import UNPACKED_BYTES_MAX, unpacked
from hivesync_core.tasks.importing import ForeignTask

SOURCE = "github"
PULL_REQUEST_LABEL = "pull request"
"""Set on pull requests, which GitHub's list of issues holds too, so that they can be told from issues."""

_OPEN, _CLOSED = "open", "closed"
_REPOSITORY = re.compile(r"^https?://[^/]+/(?:api/v3/)?(?:repos/)?([^/]+/[^/]+)")
_MISSING = re.compile(r"missing required field `(.*?)`")
_WHERE = re.compile(r"^(?P<cause>.*?) - at `\$\.?(?P<field>.*)`$", re.DOTALL)


class _Person(msgspec.Struct):
    login: str

    @property
    def name(self) -> str:
        """The login as the REST API has it; ``gh`` writes that of a bot as ``app/dependabot``."""
        return f"{self.login.removeprefix('app/')}[bot]" if self.login.startswith("app/") else self.login


class _Label(msgspec.Struct):
    name: str


class _PullRequest(msgspec.Struct):
    merged_at: datetime | None = None


class _Issue(msgspec.Struct):
    """What is read of an issue. The names in capitals inside are those of ``gh``, the others those of the REST API."""

    number: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
    title: str
    state: str
    body: str | None = None
    user: _Person | None = None
    author: _Person | None = None
    labels: list[_Label | str] = []
    assignee: _Person | None = None
    assignees: list[_Person] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    state_reason: str | None = None
    createdAt: datetime | None = None
    updatedAt: datetime | None = None
    closedAt: datetime | None = None
    stateReason: str | None = None
    html_url: str | None = None
    repository_url: str | None = None
    url: str | None = None
    pull_request: _PullRequest | None = None


_decode = msgspec.json.Decoder(_Issue).decode


def read_github(
    stream: BinaryIO, *, pull_requests: bool = True, unpacked_bytes_max: int = UNPACKED_BYTES_MAX
) -> Pieces:
    """The issues of a file, plain or packed with gzip; ``pull_requests`` says whether those are wanted too."""
    for item in items(unpacked(stream, bytes_max=unpacked_bytes_max)):
        yield _flaw(item, item.flaw) if item.flaw else _piece(item, pull_requests)


def _piece(item: Item, pull_requests: bool) -> Piece:
    try:
        issue = _decode(item.raw)
    except msgspec.ValidationError as error:
        return _flaw(item, *_cause_and_field(str(error)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _flaw(item, _why_no_json(item.raw, error))
    except RecursionError:
        return _flaw(item, "the JSON is nested too deeply")
    if issue.pull_request is not None and not pull_requests:
        return Skipped(line=item.line)
    if issue.state.lower() not in (_OPEN, _CLOSED):
        return _flaw(item, f"it is {issue.state[:40]!r}, neither open nor closed", "state")
    return Draft(line=item.line, task=_task(issue))


def _flaw(item: Item, cause: str, field: str | None = None) -> Flaw:
    """Says which object it is where many may stand on one line."""
    where = "" if item.number is None else f" (object {item.number} of the file)"
    return Flaw(line=item.line, cause=f"{cause}{where}", field=field, ends=item.ends)


def _cause_and_field(message: str) -> tuple[str, str | None]:
    """What msgspec says, and the path of the field that it says it of."""
    found = _WHERE.match(message)
    cause, path = (found["cause"], found["field"]) if found else (message, "")
    if missing := _MISSING.search(cause):
        path = f"{path}.{missing[1]}" if path else missing[1]
    return cause, path or None


def _why_no_json(raw: bytes, error: Exception) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError as flaw:
        return f"byte {flaw.start + 1} of it (0x{raw[flaw.start]:02x}) is not UTF-8"
    return f"it is no whole JSON object: {error}"


def _task(issue: _Issue) -> ForeignTask:
    is_pull_request = issue.pull_request is not None
    labels = [label if isinstance(label, str) else label.name for label in issue.labels]
    people = issue.assignees if issue.assignees else [issue.assignee] if issue.assignee else []
    author = issue.user or issue.author
    reason = issue.state_reason or issue.stateReason
    if issue.pull_request is not None and issue.pull_request.merged_at is not None:
        reason = "merged"
    return ForeignTask(
        source=SOURCE,
        external_id=f"{_repository(issue)}#{issue.number}",
        title=issue.title,
        description=issue.body or "",
        url=issue.html_url or issue.url,
        labels=(*labels, PULL_REQUEST_LABEL) if is_pull_request else tuple(labels),
        author=author.name if author else None,
        assignees=tuple(person.name for person in people),
        created_at=issue.created_at or issue.createdAt,
        updated_at=issue.updated_at or issue.updatedAt,
        closed=issue.state.lower() == _CLOSED,
        closed_at=issue.closed_at or issue.closedAt,
        closed_reason=reason.lower() if reason else None,
    )


def _repository(issue: _Issue) -> str:
    """``owner/name`` where the file tells it: numbers are only unique within one repository."""
    for url in (issue.repository_url, issue.html_url, issue.url):
        if url and (found := _REPOSITORY.search(url)):
            return found[1]
    return ""
