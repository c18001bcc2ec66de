"""Which column of a table is which field of a task: as it was said, else by the column's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hivesync_core.kernel.refusal import Invalid

FIELDS: Final = (
    "id", "title", "description", "url", "labels", "priority", "due", "author", "assignees",
    "created", "updated", "state", "closed", "reason",
)  # fmt: skip
"""What a column may be mapped to; ``state`` says whether the task is closed, ``closed`` when it was."""

_USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "key", "issue key", "external id", "number", "issue id", "ref"),
    "title": ("title", "summary", "subject", "name", "task", "task name"),
    "description": ("description", "body", "notes", "details", "text"),
    "url": ("url", "link", "html url", "web url"),
    "labels": ("labels", "label", "tags", "tag", "categories"),
    "priority": ("priority",),
    "due": ("due", "due date", "deadline", "due on"),
    "author": ("author", "reporter", "creator", "created by", "user", "opened by"),
    "assignees": ("assignees", "assignee", "assigned to", "owner", "responsible"),
    "created": ("created", "created at", "created on", "creation date", "opened", "opened at"),
    "updated": ("updated", "updated at", "updated on", "last modified", "modified"),
    "state": ("state", "status"),
    "closed": ("closed", "closed at", "closed on", "resolved", "resolved at", "completed at", "done at"),
    "reason": ("reason", "resolution", "closed reason", "state reason"),
}


class MappingRefused(Invalid):
    """The columns cannot be mapped so; the message says what is wrong and which columns there are."""

    code = "import.mapping_refused"
    title = "The columns cannot be mapped so"


def mapped(header: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int]:
    """The number of the column of each field that has one.

    ``wanted`` maps fields to the names of columns, an empty name to none at all; the others are found by their usual
    names. Raises ``MappingRefused``.
    """
    places = {_plain(name): number for number, name in reversed(list(enumerate(header)))}
    shown = ", ".join(name for name in header if name.strip()) or "none"
    found: dict[str, int] = {}
    for field, name in wanted.items():
        if field not in FIELDS:
            raise MappingRefused(f"there is no field {field!r}; the fields are {', '.join(FIELDS)}")
        if name and _plain(name) not in places:
            raise MappingRefused(f"there is no column {name!r} for {field}; the columns are {shown}")
        if name:
            found[field] = places[_plain(name)]
    for field in FIELDS:
        if field not in wanted:
            usual = [places[name] for name in _USUAL_NAMES[field] if name in places]
            free = [place for place in usual if place not in found.values()]
            if free:
                found[field] = free[0]
    if "title" not in found:
        raise MappingRefused(f"no column is the title; say which one: title=COLUMN. The columns are {shown}")
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").split()).casefold()
