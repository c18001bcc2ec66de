"""Which column of a table is which field of a task: as it was said, else by the column's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hivesync_core.kernel.refusal import Invalid
from hivesync_core.kernel.text import fit_one_line

FIELDS: Final = (
    "id", "title", "description", "url", "labels", "priority", "due", "author", "assignees",
    "created", "updated", "state", "closed", "reason",
)  # fmt: skip
"""What a column may be mapped to; ``state`` says whether the task is closed, ``closed`` when it was."""

FIELDS_OF_SEVERAL: Final = ("labels", "assignees")
"""What several columns of one name may hold together, as Jira writes a column for each label."""

NAMES_SHOWN_MAX: Final = 50
NAME_SHOWN_CHARS_MAX: Final = 100

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


def mapped(header: Sequence[str], wanted: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """The numbers of the columns of each field that has one; only ``labels`` and ``assignees`` may have several.

    ``wanted`` maps fields to the names of columns, an empty name to none at all; the others are found by their usual
    names. Raises ``MappingRefused``.
    """
    if not header:
        raise MappingRefused("the file is empty; its first line has to name the columns")
    places: dict[str, tuple[int, ...]] = {}
    for number, name in enumerate(header):
        places[_plain(name)] = (*places.get(_plain(name), ()), number)
    found: dict[str, tuple[int, ...]] = {}
    for field, name in wanted.items():
        if field not in FIELDS:
            raise MappingRefused(f"there is no field {field!r}; the fields are {', '.join(FIELDS)}")
        if name and _plain(name) not in places:
            raise MappingRefused(f"there is no column {name!r} for {field}; the columns are {_shown(header)}")
        if name:
            found[field] = places[_plain(name)]
    for field in FIELDS:
        if field not in wanted:
            usual = [places[name] for name in _USUAL_NAMES[field] if name in places]
            free = [numbers for numbers in usual if numbers not in found.values()]
            if free:
                found[field] = free[0]
    if "title" not in found:
        raise MappingRefused(f"no column is the title; say which one: title=COLUMN. The columns are {_shown(header)}")
    for field, numbers in found.items():
        if len(numbers) > 1 and field not in FIELDS_OF_SEVERAL:
            name = shown(header[numbers[0]])
            raise MappingRefused(
                f"{len(numbers)} columns are called {name!r}, and {field} can be only one; rename the others, or map "
                f"{field} to another column"
            )
    return found


def shown(name: str) -> str:
    """The name of a column as it may be told: whatever a file holds, it is one line, and every program can read it."""
    return fit_one_line(name, chars_max=NAME_SHOWN_CHARS_MAX)[0]


def _shown(header: Sequence[str]) -> str:
    names = [shown(name) for name in header if name.strip()]
    more = f" and {len(names) - NAMES_SHOWN_MAX} more" if len(names) > NAMES_SHOWN_MAX else ""
    return (", ".join(names[:NAMES_SHOWN_MAX]) or "none") + more


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").split()).casefold()
