"""Accounts over the API: signing in, people, invitations, personal access tokens and OAuth clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from shared.api.base import ONE_LINE, Answer, Request

EMAIL_MAX = 254
PERSON_NAME_MAX = 120
PASSWORD_MIN = 15
PASSWORD_INPUT_MAX = 1_024
TOKEN_NAME_MAX = 100
TOKEN_TEXT_MAX = 200
ACCOUNTS_PAGE_MAX = 200
PEOPLE_IDS_MAX = 100
SEARCH_MAX = 100
REDIRECT_URIS_MAX = 20
REDIRECT_URI_MAX = 500
INVITATION_TTL_MIN_S = 60
INVITATION_TTL_MAX_S = 90 * 24 * 60 * 60

ScopeName = Literal["read", "write", "live", "admin"]
RoleName = Literal["owner", "member", "auditor"]

Email = Annotated[
    str, Meta(min_length=3, max_length=EMAIL_MAX, pattern=ONE_LINE, description="An address such as `ada@example.org`.")
]
PersonName = Annotated[str, Meta(min_length=1, max_length=PERSON_NAME_MAX, pattern=ONE_LINE)]
Password = Annotated[str, Meta(max_length=PASSWORD_INPUT_MAX, description="As it is typed; white space is part of it.")]
NewPassword = Annotated[
    str,
    Meta(
        max_length=PASSWORD_INPUT_MAX,
        description="15 to 128 characters of any kind. Refused where it is among the common ones, with the reason.",
    ),
]
Secret = Annotated[str, Meta(max_length=TOKEN_TEXT_MAX)]
Scopes = Annotated[list[ScopeName], Meta(min_length=1, max_length=4)]


# --- signing in --------------------------------------------------------------------------------------------------


class SignInRequest(Request, frozen=True, kw_only=True):
    """An e-mail address and its password."""

    email: Annotated[str, Meta(max_length=EMAIL_MAX)]
    password: Password
    scopes: Scopes | UnsetType = UNSET


class RefreshRequest(Request, frozen=True, kw_only=True):
    """A refresh token; it is good once."""

    refresh_token: Secret


class TokenPairAnswer(Answer, frozen=True, kw_only=True):
    """A new session. Keep the refresh token: showing an old one again ends the session."""

    access_token: Annotated[str, Meta(description="`Authorization: Bearer hsa_…`")]
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: Annotated[int, Meta(description="Seconds until the access token expires.")]
    scopes: list[ScopeName]
    account_id: UUID


class SocketTicketAnswer(Answer, frozen=True, kw_only=True):
    """A ticket that opens one WebSocket in the name of the token that asked for it."""

    ticket: str
    expires_at: datetime


# --- people ------------------------------------------------------------------------------------------------------


class MeAnswer(Answer, frozen=True, kw_only=True):
    """Who the token belongs to, and how far it reaches."""

    account_id: UUID
    email: str
    name: str
    is_admin: bool
    created_at: datetime
    scopes: list[ScopeName]


class MeChange(Request, frozen=True, kw_only=True):
    """What a person may change of their own account; what is left out stays."""

    name: PersonName | UnsetType = UNSET
    email: Email | UnsetType = UNSET


class PasswordChangeRequest(Request, frozen=True, kw_only=True):
    """Another password. Every other session ends."""

    present_password: Password
    new_password: NewPassword


class AccountAnswer(Answer, frozen=True, kw_only=True):
    """An account as admins see it."""

    account_id: UUID
    email: str
    name: str
    is_admin: bool
    disabled: bool
    created_at: datetime


class AccountsAnswer(Answer, frozen=True, kw_only=True):
    """A page of accounts; ask again with ``next_cursor`` until it is null."""

    accounts: list[AccountAnswer]
    next_cursor: str | None


class AccountCreation(Request, frozen=True, kw_only=True):
    """An account made by an admin."""

    email: Email
    name: PersonName
    password: NewPassword
    is_admin: bool = False


class AccountChange(Request, frozen=True, kw_only=True):
    """What an admin changes of an account; what is left out stays."""

    name: PersonName | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET


class PasswordReset(Request, frozen=True, kw_only=True):
    """A password that an admin sets for somebody; all their sessions end."""

    new_password: NewPassword


class PersonAnswer(Answer, frozen=True, kw_only=True):
    """The name behind an account id."""

    account_id: UUID
    name: Annotated[str, Meta(description="`erased-<id>` where the person was erased.")]


class PeopleAnswer(Answer, frozen=True, kw_only=True):
    """The people whom the caller may know, among those asked for."""

    people: list[PersonAnswer]


# --- invitations -------------------------------------------------------------------------------------------------


class InvitationCreation(Request, frozen=True, kw_only=True):
    """An invitation, into a project where one is named."""

    email: Email | UnsetType = UNSET
    project_id: UUID | UnsetType = UNSET
    role: RoleName | UnsetType = UNSET
    expires_in: (
        Annotated[
            int, Meta(ge=INVITATION_TTL_MIN_S, le=INVITATION_TTL_MAX_S, description="Seconds; a week by default.")
        ]
        | UnsetType
    ) = UNSET


class InvitationAnswer(Answer, frozen=True, kw_only=True):
    """An open invitation."""

    invitation_id: UUID
    email: str | None
    invited_by: UUID
    project_id: UUID | None
    role: RoleName | None
    created_at: datetime
    expires_at: datetime


class InvitationCreated(InvitationAnswer, frozen=True, kw_only=True):
    """A new invitation with its secret, which is shown here and never again."""

    token: str
    link: Annotated[str, Meta(description="The page where the invited person makes the account.")]


class InvitationsAnswer(Answer, frozen=True, kw_only=True):
    """A page of open invitations; ask again with ``next_cursor`` until it is null."""

    invitations: list[InvitationAnswer]
    next_cursor: str | None


class InvitationAcceptance(Request, frozen=True, kw_only=True):
    """The account that an invited person makes; ``email`` may be left out where the invitation names it."""

    token: Secret
    name: PersonName
    password: NewPassword
    email: Email | UnsetType = UNSET


# --- personal access tokens --------------------------------------------------------------------------------------


class TokenCreation(Request, frozen=True, kw_only=True):
    """A personal access token; it reaches no further than the token that asks for it."""

    name: Annotated[str, Meta(min_length=1, max_length=TOKEN_NAME_MAX, pattern=ONE_LINE)]
    scopes: Scopes
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class TokenAnswer(Answer, frozen=True, kw_only=True):
    """A personal access token, without its secret."""

    token_id: UUID
    name: str
    scopes: list[ScopeName]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Meta(description="To the minute.")]


class TokenCreated(TokenAnswer, frozen=True, kw_only=True):
    """A new token with its secret, which is shown here and never again."""

    token: str


class TokensAnswer(Answer, frozen=True, kw_only=True):
    """The caller's personal access tokens, the newest first."""

    tokens: list[TokenAnswer]


# --- OAuth -------------------------------------------------------------------------------------------------------


class ClientCreation(Request, frozen=True, kw_only=True):
    """A program that may ask for tokens; it has no secret."""

    client_id: Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$")]
    name: Annotated[str, Meta(min_length=1, max_length=TOKEN_NAME_MAX, pattern=ONE_LINE)]
    redirect_uris: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=REDIRECT_URI_MAX)]], Meta(max_length=REDIRECT_URIS_MAX)
    ]
    scopes: Scopes


class ClientAnswer(Answer, frozen=True, kw_only=True):
    """A program that may ask for tokens."""

    client_id: str
    name: str
    redirect_uris: list[str]
    scopes: list[ScopeName]
    built_in: bool


class ClientsAnswer(Answer, frozen=True, kw_only=True):
    """Every program that may ask for tokens."""

    clients: list[ClientAnswer]


class OAuthTokenAnswer(Answer, frozen=True, kw_only=True):
    """A successful answer of the token endpoint (RFC 6749, section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    refresh_token: str
    scope: str


class OAuthErrorAnswer(Answer, frozen=True, kw_only=True):
    """An error of the token endpoint (RFC 6749, section 5.2; RFC 8628, section 3.5)."""

    error: str
    error_description: str


class DeviceAuthorizationAnswer(Answer, frozen=True, kw_only=True):
    """What a device shows its person (RFC 8628, section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class ServerMetadata(Answer, frozen=True, kw_only=True):
    """Where the endpoints are and what they can do (RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    device_authorization_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool
