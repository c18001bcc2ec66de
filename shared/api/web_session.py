"""The session of HiveSync's own pages: an access token for the page, a refresh token that no script can read."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from shared.api.accounts import ScopeName, Secret
from shared.api.base import Answer, Request


class WebTokenRequest(Request, frozen=True, kw_only=True):
    """The code that the page was sent, and the verifier that only this page knows (RFC 7636)."""

    code: Secret
    code_verifier: Annotated[str, Meta(min_length=43, max_length=128)]


class WebTokenAnswer(Answer, frozen=True, kw_only=True):
    """An access token for the page; the refresh token is in a cookie."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: Annotated[int, Meta(description="Seconds until the access token expires.")]
    scopes: list[ScopeName]
    account_id: UUID
