"""Accounts: one's own, those that admins manage, and the names behind ids."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET

from adapters.http.authentication import needs
from adapters.http.commanding import refuse_body
from adapters.http.context import context_without_body
from adapters.http.failures import QueryInvalid
from adapters.http.request import ApiRequest, PathId
from adapters.identity.account_rows import AccountRow
from adapters.identity.directory import NewPerson, StatusCommand
from hivesync_core.accounts.commands import ChangeRole, DisableAccount, EnableAccount, EraseAccount
from hivesync_core.accounts.scopes import in_order
from projections.engine.queries import decode_cursor, encode_cursor
from shared.api.accounts import (
    ACCOUNTS_PAGE_MAX,
    PEOPLE_IDS_MAX,
    SEARCH_MAX,
    AccountAnswer,
    AccountChange,
    AccountCreation,
    AccountsAnswer,
    MeAnswer,
    MeChange,
    PasswordChangeRequest,
    PasswordReset,
    PeopleAnswer,
    PersonAnswer,
    ScopeName,
)

MINE = ["Own account"]
TAGS = ["Accounts"]
Limit = Annotated[int, QueryParameter(ge=1, le=ACCOUNTS_PAGE_MAX, description="Rows of a page.")]
Cursor = Annotated[str | None, QueryParameter(max_length=500, description="`next_cursor` of the page before.")]


@get("/me", tags=MINE, summary="Who am I?", **needs("read"))
async def me(request: ApiRequest) -> MeAnswer:
    """The account behind the token, and how far the token reaches."""
    return _me(request, await request.services.identity.directory.existing(request.user.account_id))


@patch("/me", tags=MINE, summary="Change name or address", **needs("write"))
async def change_me(request: ApiRequest, data: JSONBody[MeChange]) -> MeAnswer:
    """Change one's own name or e-mail address; what is left out stays."""
    changed = await request.services.identity.directory.change_details(
        request.user.account_id, email=data.email or None, name=data.name or None
    )
    return _me(request, changed)


@post("/me/password", tags=MINE, status_code=204, summary="Change the password", **needs("write"))
async def change_my_password(request: ApiRequest, data: JSONBody[PasswordChangeRequest]) -> None:
    """Change one's own password. Every other session ends; this one and personal access tokens stay."""
    await request.services.identity.password_change.change_own(
        request.user.account_id,
        data.present_password,
        data.new_password,
        context_without_body(request),
        keep_session=request.user.token_id,
    )


@get("/people", tags=MINE, summary="Names behind ids", **needs("read"))
async def people(
    request: ApiRequest,
    ids: Annotated[
        str, QueryParameter(max_length=PEOPLE_IDS_MAX * 37, description="Account ids with commas between them.")
    ],
) -> PeopleAnswer:
    """The names of people who share a project with the caller or did something in one; others are left out."""
    wanted = _ids(ids)
    known = await request.services.identity.acquaintances.among(request.user, wanted)
    names = await request.services.identity.rows.display_names(known)
    return PeopleAnswer(people=[PersonAnswer(account_id=key, name=name) for key, name in names.items()])


@get("/accounts", tags=TAGS, summary="List accounts", **needs("admin"))
async def list_accounts(
    request: ApiRequest,
    cursor: Cursor = None,
    limit: Limit = 50,
    search: Annotated[str, QueryParameter(max_length=SEARCH_MAX, description="Part of a name or an address.")] = "",
) -> AccountsAnswer:
    """Accounts in the order in which they were made."""
    after = decode_cursor(cursor, UUID)[0] if cursor else None
    if "\0" in search:
        raise QueryInvalid("search", "NUL is in no name")
    rows = await request.services.identity.rows.page(after, limit + 1, containing=search)
    more = encode_cursor(rows[limit - 1].account_id) if len(rows) > limit else None
    return AccountsAnswer(accounts=[told(row) for row in rows[:limit]], next_cursor=more)


@post("/accounts", tags=TAGS, summary="Make an account", **needs("admin"))
async def create_account(request: ApiRequest, data: JSONBody[AccountCreation]) -> AccountAnswer:
    """Make an account with a first password, which its owner should change."""
    without_secret = msgspec.json.encode(msgspec.structs.replace(data, password=""))
    made = await request.services.identity.directory.make(
        NewPerson(data.email, data.name, data.password),
        request.user.actor,
        context_without_body(request, hashed=without_secret),
        is_admin=data.is_admin,
    )
    return told(made)


@get("/accounts/{account_id:uuid}", tags=TAGS, summary="Show an account", **needs("admin"))
async def show_account(request: ApiRequest, account_id: PathId) -> AccountAnswer:
    """An account as admins see it."""
    return told(await request.services.identity.directory.existing(account_id))


@patch("/accounts/{account_id:uuid}", tags=TAGS, summary="Change an account", **needs("admin"))
async def change_account(request: ApiRequest, account_id: PathId, data: JSONBody[AccountChange]) -> AccountAnswer:
    """Change name, address, or whether the account is an admin; what is left out stays."""
    directory = request.services.identity.directory
    if data.is_admin is not UNSET:
        command = ChangeRole(by=request.user.actor, is_admin=data.is_admin)
        await directory.change_status(account_id, command, context_without_body(request))
    if data.name is UNSET and data.email is UNSET:
        return told(await directory.existing(account_id))
    return told(await directory.change_details(account_id, email=data.email or None, name=data.name or None))


@delete("/accounts/{account_id:uuid}", tags=TAGS, summary="Erase an account", **needs("admin"))
async def erase_account(request: ApiRequest, account_id: PathId) -> None:
    """Delete the person's data and every secret; the history stays and shows `erased-<id>`. It cannot be undone."""
    command = EraseAccount(by=request.user.actor)
    await request.services.identity.directory.change_status(account_id, command, context_without_body(request))


@post("/accounts/{account_id:uuid}/disable", tags=TAGS, status_code=200, summary="Lock out", **needs("admin"))
async def disable_account(request: ApiRequest, account_id: PathId) -> AccountAnswer:
    """Lock the account out: all its tokens are void at once, on every node."""
    return await _with_status(request, account_id, DisableAccount(by=request.user.actor))


@post("/accounts/{account_id:uuid}/enable", tags=TAGS, status_code=200, summary="Let in again", **needs("admin"))
async def enable_account(request: ApiRequest, account_id: PathId) -> AccountAnswer:
    """Let the account sign in again; its former tokens stay void."""
    return await _with_status(request, account_id, EnableAccount(by=request.user.actor))


@post("/accounts/{account_id:uuid}/password", tags=TAGS, status_code=204, summary="Set a password", **needs("admin"))
async def set_password(request: ApiRequest, account_id: PathId, data: JSONBody[PasswordReset]) -> None:
    """Set somebody's password, for who forgot it; all their sessions end."""
    await request.services.identity.password_change.set_for(
        account_id, data.new_password, request.user.actor, context_without_body(request)
    )


async def _with_status(request: ApiRequest, account_id: UUID, command: StatusCommand) -> AccountAnswer:
    await refuse_body(request)
    directory = request.services.identity.directory
    await directory.change_status(account_id, command, context_without_body(request))
    return told(await directory.existing(account_id))


def told(row: AccountRow) -> AccountAnswer:
    """An account as the API shows it."""
    return AccountAnswer(
        account_id=row.account_id,
        email=row.email,
        name=row.name,
        is_admin=row.is_admin,
        disabled=row.disabled,
        created_at=row.created_at,
    )


def _me(request: ApiRequest, row: AccountRow) -> MeAnswer:
    return MeAnswer(
        account_id=row.account_id,
        email=row.email,
        name=row.name,
        is_admin=row.is_admin,
        created_at=row.created_at,
        scopes=cast(list[ScopeName], list(in_order(request.user.scopes))),
    )


def _ids(text: str) -> list[UUID]:
    try:
        ids = [UUID(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise QueryInvalid("ids", "account ids with commas between them") from error
    if not 1 <= len(ids) <= PEOPLE_IDS_MAX:
        raise QueryInvalid("ids", f"1 to {PEOPLE_IDS_MAX} ids")
    return ids


HANDLERS = (
    me,
    change_me,
    change_my_password,
    people,
    list_accounts,
    create_account,
    show_account,
    change_account,
    erase_account,
    disable_account,
    enable_account,
    set_password,
)
