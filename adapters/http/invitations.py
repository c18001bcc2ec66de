"""Invitations: made by admins and owners, accepted by whoever holds the secret."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from litestar import delete, get, post
from litestar.params import JSONBody
from msgspec import UNSET

from adapters.http.accounts import Cursor, Limit, told
from adapters.http.authentication import ANYONE, client_ip, needs
from adapters.http.context import context_without_body
from adapters.http.request import ApiRequest, PathId
from adapters.identity.invitation_rows import InvitationRow
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.roles import Role
from projections.engine.queries import decode_cursor, encode_cursor
from shared.api.accounts import (
    AccountAnswer,
    InvitationAcceptance,
    InvitationAnswer,
    InvitationCreated,
    InvitationCreation,
    InvitationsAnswer,
    RoleName,
)

TAGS = ["Invitations"]


@post("/invitations", tags=TAGS, summary="Invite somebody", **needs("write"))
async def create_invitation(request: ApiRequest, data: JSONBody[InvitationCreation]) -> InvitationCreated:
    """Admins invite anybody, owners into their projects. The secret and its link are shown here and never again."""
    identity, context = request.services.identity, context_without_body(request)
    row, secret = await identity.invitations.make(
        request.user,
        context,
        email=data.email or None,
        project_id=ProjectId(data.project_id) if data.project_id is not UNSET else None,
        role=Role(data.role) if data.role is not UNSET else None,
        expires_at=context.at + timedelta(seconds=data.expires_in) if data.expires_in is not UNSET else None,
    )
    return InvitationCreated(
        invitation_id=row.invitation_id,
        email=row.email,
        invited_by=row.invited_by,
        project_id=row.project_id,
        role=_role_name(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
        token=secret,
        link=identity.invitations.link(secret),
    )


@get("/invitations", tags=TAGS, summary="List open invitations", **needs("read"))
async def list_invitations(request: ApiRequest, cursor: Cursor = None, limit: Limit = 50) -> InvitationsAnswer:
    """One's own open invitations; an admin sees everybody's."""
    after = decode_cursor(cursor, UUID)[0] if cursor else None
    rows = await request.services.identity.invitations.page(request.user, after, limit + 1)
    more = encode_cursor(rows[limit - 1].invitation_id) if len(rows) > limit else None
    return InvitationsAnswer(invitations=[_told(row) for row in rows[:limit]], next_cursor=more)


@delete("/invitations/{invitation_id:uuid}", tags=TAGS, summary="Take an invitation back", **needs("write"))
async def revoke_invitation(request: ApiRequest, invitation_id: PathId) -> None:
    """Make an open invitation void at once."""
    await request.services.identity.invitations.revoke(request.user, invitation_id, context_without_body(request))


@post("/invitations/accept", tags=TAGS, opt={**ANYONE, "statuses": (404,)}, summary="Accept an invitation")
async def accept_invitation(request: ApiRequest, data: JSONBody[InvitationAcceptance]) -> AccountAnswer:
    """Make the account that one was invited to make, and join the invitation's project: all of it, or nothing."""
    identity = request.services.identity
    made = await identity.invitations.accept(
        data.token,
        client_ip(request.scope, identity),
        context_without_body(request),
        email=data.email or "",
        name=data.name,
        password=data.password,
    )
    return told(made)


def _told(row: InvitationRow) -> InvitationAnswer:
    return InvitationAnswer(
        invitation_id=row.invitation_id,
        email=row.email,
        invited_by=row.invited_by,
        project_id=row.project_id,
        role=_role_name(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _role_name(row: InvitationRow) -> RoleName | None:
    return None if row.role is None else row.role.value


HANDLERS = (create_invitation, list_invitations, revoke_invitation, accept_invitation)
