"""What can be asked of projects: those that an account belongs to, and one of them, now or at an earlier moment."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from hivesync_core.kernel.refusal import NotFound
from projections.engine.queries import (
    PAGE_ROWS,
    CursorInvalid,
    Page,
    QueryDatabase,
    as_of_document,
    as_of_documents,
    decode_cursor,
    encode_cursor,
    json_array,
)


class ProjectUnknown(NotFound):
    """No such project, or none at that moment, or none that the asker may see."""

    code = "project.unknown"
    title = "There is no such project"


async def project_page(
    database: QueryDatabase,
    *,
    member_id: UUID | None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
    as_of: int | None = None,
) -> Page:
    """A page of the projects that an account belongs to, or of all where ``member_id`` is none, by name.

    It is about those that the account belongs to now, whatever the moment: who was let go sees nothing of the past.
    """
    params: dict[str, Any] = {"member": member_id, "as_of": as_of, "limit": limit}
    if cursor is not None:
        name, last_id = decode_cursor(cursor, str, UUID)
        if "\0" in name:
            raise CursorInvalid
        params |= {"name": name, "last": last_id}
    row = await database.fetch_one(_page_query(member_id is not None, cursor is not None, as_of is not None), params)
    assert row is not None, "an aggregate always has one row"
    items, rows, name, last_id = row
    return Page(items, encode_cursor(name, last_id) if rows > limit else None)


async def projects_of(database: QueryDatabase, member_id: UUID, *, roles: tuple[str, ...] = ()) -> list[UUID]:
    """The projects that an account belongs to now, in one of these roles where any are named."""
    rows = await database.fetch_all(
        "SELECT p.project_id FROM readmodel.project p WHERE p.member_ids @> ARRAY[%s]::uuid[] AND (%s OR EXISTS ("
        "SELECT 1 FROM json_array_elements(p.doc::json->'members') m "
        "WHERE m->>'account_id' = %s AND m->>'role' = ANY(%s)))",
        (member_id, not roles, str(member_id), list(roles)),
    )
    return [project_id for (project_id,) in rows]


async def project_detail(database: QueryDatabase, project_id: UUID, *, as_of: int | None = None) -> str:
    """A project's document; raises ``ProjectUnknown``."""
    row = await database.fetch_one(_DETAIL if as_of is None else _AS_OF, {"project": project_id, "as_of": as_of})
    if row is None:
        raise ProjectUnknown("there is no such project, or there was none at that moment")
    return str(row[0])


async def every_membership(database: QueryDatabase) -> tuple[int, list[tuple[UUID, list[UUID]]]]:
    """The members of every project, and the position of the log at which that is so.

    A project that the read model could not go on with has no members here: it may have lost some.
    """
    registered = await database.fetch_one("SELECT 1 FROM ops.projections WHERE name = 'projects' AND build = 'live'")
    if registered is None:
        return 0, []
    rows = await database.fetch_all(_EVERY_MEMBERSHIP)
    position = next(at for project_id, _, at in rows if project_id is None)
    return position, [(project_id, member_ids) for project_id, member_ids, _ in rows if project_id is not None]


_EVERY_MEMBERSHIP = """
    SELECT NULL::uuid, NULL::uuid[], position FROM ops.projections WHERE name = 'projects' AND build = 'live'
    UNION ALL
    SELECT p.project_id, p.member_ids, 0 FROM readmodel.project p
    WHERE NOT EXISTS (SELECT 1 FROM ops.parked_streams s
                      WHERE s.name = 'projects' AND s.build = 'live' AND s.stream_id = p.project_id)
"""


_DETAIL = "SELECT doc FROM readmodel.project WHERE project_id = %(project)s"
_AS_OF = as_of_document("project", "project_id", "%(project)s", "%(as_of)s")

_FORMER = (
    "(SELECT v.project_id, v.doc, v.doc::json->>'name' AS name FROM ("
    + as_of_documents("project", "project_id", "true", "%(as_of)s")
    + ") v)"
)


@cache
def _page_query(of_member: bool, has_cursor: bool, is_past: bool) -> str:
    """The query for a page: its rows in order as a JSON array, their number and one, and where the page ends."""
    conditions = ["true"]
    if of_member and is_past:
        conditions.append(
            "p.project_id IN (SELECT n.project_id FROM readmodel.project n WHERE n.member_ids @> ARRAY[%(member)s]::uuid[])"
        )
    elif of_member:
        conditions.append("p.member_ids @> ARRAY[%(member)s]::uuid[]")
    if has_cursor:
        conditions.append("(p.name, p.project_id) > (%(name)s, %(last)s)")
    return (
        f"SELECT {json_array('q.doc', 'q.n <= %(limit)s')}, count(*), "
        "(array_agg(q.name) FILTER (WHERE q.n = %(limit)s))[1], "
        "(array_agg(q.project_id) FILTER (WHERE q.n = %(limit)s))[1] "
        "FROM (SELECT p.doc, p.name, p.project_id, row_number() OVER (ORDER BY p.name, p.project_id) AS n "
        f"FROM {_FORMER if is_past else 'readmodel.project'} p WHERE {' AND '.join(conditions)} "
        "ORDER BY p.name, p.project_id LIMIT %(limit)s + 1) q"
    )
