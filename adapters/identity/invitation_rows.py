"""The secrets and the addresses of open invitations; the rules of invitations are in their streams."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from adapters.postgres.connections import Database
from hivesync_core.kernel.roles import Role

INVITATIONS_MAX = 200
"""Invitations on one page."""


class InvitationRow(NamedTuple):
    """An invitation that nobody used or took back yet; ``email`` is the address that it was made for, where one was."""

    invitation_id: UUID
    email: str | None
    invited_by: UUID
    project_id: UUID | None
    role: Role | None
    created_at: datetime
    expires_at: datetime


_COLUMNS = "invitation_id, email, invited_by, project_id, role, created_at, expires_at"


class InvitationRows:
    """Reads and writes ``identity.invitations``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, row: InvitationRow, token_hash: bytes) -> None:
        """Keep a new invitation's secret."""
        await self._database.execute(
            f"INSERT INTO identity.invitations ({_COLUMNS}, token_hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (*row[:4], None if row.role is None else str(row.role), *row[5:], token_hash),
        )

    async def find_by_token(self, token_hash: bytes) -> InvitationRow | None:
        """The open invitation that this secret belongs to; an expired one is none."""
        row = await self._database.fetch_one(
            f"SELECT {_COLUMNS} FROM identity.invitations WHERE token_hash = %s AND expires_at > clock_timestamp()",
            (token_hash,),
        )
        return _row(row) if row else None

    async def page(self, invited_by: UUID | None, after: UUID | None, limit: int) -> list[InvitationRow]:
        """Open invitations in the order of their ids, everybody's where ``invited_by`` is none."""
        rows = await self._database.fetch_all(
            f"SELECT {_COLUMNS} FROM identity.invitations "
            "WHERE invitation_id > %s AND (%s::uuid IS NULL OR invited_by = %s) ORDER BY invitation_id LIMIT %s",
            (after or UUID(int=0), invited_by, invited_by, limit),
        )
        return [_row(row) for row in rows]

    async def delete(self, invitation_id: UUID) -> None:
        """Delete the secret and the address of an invitation that is used or taken back."""
        await self._database.execute("DELETE FROM identity.invitations WHERE invitation_id = %s", (invitation_id,))


def _row(row: tuple[object, ...]) -> InvitationRow:
    found = InvitationRow(*row)  # type: ignore[arg-type]  # a row of the columns above
    return found._replace(role=None if found.role is None else Role(found.role))
