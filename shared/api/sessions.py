"""One's own sign-ins as the API tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.api.accounts import ScopeName
from shared.api.base import Answer


class SessionAnswer(Answer, frozen=True, kw_only=True):
    """What one sign-in began: the tokens of one program on one device."""

    session_id: UUID
    client_id: str
    client_name: Annotated[str | None, Meta(description="Null: an e-mail address and a password over the API.")]
    scopes: list[ScopeName]
    created_at: datetime
    last_used_at: Annotated[datetime, Meta(description="When its tokens were last renewed.")]
    expires_at: datetime
    is_current: Annotated[bool, Meta(description="Whether it is the one that asks.")]


class SessionsAnswer(Answer, frozen=True, kw_only=True):
    """The caller's sign-ins, the one used last first."""

    sessions: list[SessionAnswer]


class SessionsEnded(Answer, frozen=True, kw_only=True):
    """How many sign-ins were ended."""

    ended: int
