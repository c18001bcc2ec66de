"""Personal access tokens: made, listed, revoked."""

from __future__ import annotations

from litestar import delete, get, post
from litestar.params import JSONBody

from adapters.http.authentication import needs
from adapters.http.context import context_without_body
from adapters.http.request import ApiRequest, PathId
from adapters.identity.personal_tokens import PersonalToken
from hivesync_core.kernel.times import in_utc
from shared.api.accounts import TokenAnswer, TokenCreated, TokenCreation, TokensAnswer

TAGS = ["Personal access tokens"]


@post("/tokens", tags=TAGS, summary="Make a token", **needs("write"))
async def create_token(request: ApiRequest, data: JSONBody[TokenCreation]) -> TokenCreated:
    """A token with chosen scopes, for programs of one's own. Its secret is shown here and never again."""
    token, secret = await request.services.identity.personal_tokens.create(
        request.user,
        data.name,
        frozenset(data.scopes),
        None if data.expires_at is None else in_utc(data.expires_at, "expires_at"),
        context_without_body(request),
    )
    return TokenCreated(
        token_id=token.token_id,
        name=token.name,
        scopes=list(token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=None,
        token=secret,
    )


@get("/tokens", tags=TAGS, summary="List tokens", **needs("read"))
async def list_tokens(request: ApiRequest) -> TokensAnswer:
    """One's own tokens with their last use, the newest first."""
    tokens = await request.services.identity.personal_tokens.of(request.user.account_id)
    return TokensAnswer(tokens=[_told(token) for token in tokens])


@delete("/tokens/{token_id:uuid}", tags=TAGS, summary="Revoke a token", **needs("write"))
async def revoke_token(request: ApiRequest, token_id: PathId) -> None:
    """Make a token void at once, on every node: one's own, or anybody's as an admin."""
    await request.services.identity.personal_tokens.revoke(request.user, token_id, context_without_body(request))


def _told(token: PersonalToken) -> TokenAnswer:
    return TokenAnswer(
        token_id=token.token_id,
        name=token.name,
        scopes=list(token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )


HANDLERS = (create_token, list_tokens, revoke_token)
