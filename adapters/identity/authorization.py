"""The authorization code grant with PKCE (OAuth 2.1, section 4.1; RFC 7636).

Written here rather than on Authlib's server: its grants, although free of any framework, call the store
synchronously (``query_client``, ``save_token``), so that every request would need a thread and a second, blocking
connection beside the asynchronous one, and a code could not be used up and its session opened in one transaction of
ours. Two grants without client secrets are less than that bridge. Authlib's client and its RFC 8414 model judge the
result in the tests.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from psycopg import AsyncConnection

from adapters.identity.caller import Revoked
from adapters.identity.errors import NotAuthenticated, OAuthError
from adapters.identity.oauth_clients import Client, Clients
from adapters.identity.secrets import CODE, digest, is_token, new_token
from adapters.identity.sessions import Sessions, TokenPair
from adapters.identity.settings import IdentitySettings
from adapters.identity.verification import TokenVerifier
from adapters.ids import now
from adapters.postgres.connections import Database
from hivesync_core.accounts.scopes import SCOPES, Scope, in_order

STATE_MAX = 1_000
"""Characters of ``state``."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_DEFAULT_SCOPES: frozenset[str] = frozenset({"read", "write", "live"})


class UntrustedRedirect(Exception):
    """Client or redirect address are not known: the answer is a page, and nobody is sent anywhere."""


class AuthorizationRefused(Exception):
    """The request is refused, and the client is told so at its redirect address (section 4.1.2.1)."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class AuthorizationRequest(NamedTuple):
    """A request that was found in order, waiting for a person's consent."""

    client: Client
    redirect_uri: str
    scopes: tuple[Scope, ...]
    state: str | None
    code_challenge: str


class Authorization:
    """Checks requests, gives out codes, and exchanges each code once."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        sessions: Sessions,
        verifier: TokenVerifier,
        settings: IdentitySettings,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database, self._clients, self._sessions, self._verifier = database, clients, sessions, verifier
        self._settings, self._clock = settings, clock

    async def check(self, parameters: dict[str, str]) -> AuthorizationRequest:
        """The request that the parameters describe.

        Raises ``UntrustedRedirect`` before the redirect address is known to be right, ``AuthorizationRefused`` after.
        """
        client = await self._clients.find(parameters.get("client_id", ""))
        if client is None:
            raise UntrustedRedirect("The program that sent you here is not known on this server.")
        redirect_uri = parameters.get("redirect_uri", "")
        if not self._clients.allows_redirect(client, redirect_uri):
            raise UntrustedRedirect(f"{client.name} asked for the answer at an address that is not its own.")
        state = parameters.get("state")
        problem = _problem(parameters, state)
        if problem is not None:
            raise AuthorizationRefused(self._error_location(redirect_uri, state, *problem))
        try:
            scopes = requested_scopes(client, parameters.get("scope", ""))
        except OAuthError as error:
            location = self._error_location(redirect_uri, state, error.error, error.description)
            raise AuthorizationRefused(location) from error
        return AuthorizationRequest(client, redirect_uri, scopes, state, parameters["code_challenge"])

    async def approve(self, request: AuthorizationRequest, account_id: UUID) -> str:
        """The address, with a code that is good once and for a minute, to which the browser is sent."""
        code = new_token(CODE)
        await self._database.execute(
            "INSERT INTO identity.authorization_codes "
            "(code_hash, client_id, account_id, redirect_uri, code_challenge, scopes, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                digest(code),
                request.client.client_id,
                account_id,
                request.redirect_uri,
                request.code_challenge,
                list(request.scopes),
                self._clock() + timedelta(seconds=self._settings.authorization_code_ttl_s),
            ),
        )
        return self._location(request.redirect_uri, {"code": code}, request.state)

    def deny(self, request: AuthorizationRequest) -> str:
        """The address to which the browser is sent when the person says no."""
        return self._error_location(request.redirect_uri, request.state, "access_denied", "The person said no")

    async def exchange(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> TokenPair:
        """The session for a code. A code that was used ends the session it gave (section 4.1.3). Raises ``OAuthError``."""
        if not _VERIFIER.fullmatch(verifier):
            raise OAuthError("invalid_request", "code_verifier has 43 to 128 unreserved characters (RFC 7636)")
        if not is_token(code, CODE):
            raise OAuthError("invalid_grant", _CODE_NOT_GOOD)
        async with self._database.transaction() as connection:
            answer = await self._use(connection, digest(code), client_id, redirect_uri, verifier)
        if isinstance(answer, Revoked):
            self._verifier.forget(answer)
        if not isinstance(answer, TokenPair):
            raise OAuthError("invalid_grant", _CODE_NOT_GOOD)
        return answer

    async def _use(
        self, connection: AsyncConnection[Any], code_hash: bytes, client_id: str, redirect_uri: str, verifier: str
    ) -> TokenPair | Revoked | None:
        """Use a code up, whether or not the rest of the request is right; one that was used ends what it gave."""
        found = await connection.execute(_CODE, (code_hash,), binary=True)
        row = await found.fetchone()
        if row is None or row[1] != client_id:
            return None
        account_id, _, its_uri, challenge, scopes, expires_at, used_at, session_id = row
        if used_at is not None:
            await connection.execute("DELETE FROM identity.sessions WHERE session_id = %s", (session_id,))
            return Revoked(token_id=session_id) if session_id else None
        pair: TokenPair | None = None
        proven = its_uri == redirect_uri and compare_digest(challenge, s256_challenge(verifier))
        if proven and expires_at > self._clock():
            with suppress(NotAuthenticated):
                pair = await self._sessions.open_in(connection, account_id, client_id, frozenset(scopes))
        await connection.execute(
            "UPDATE identity.authorization_codes SET used_at = %s, session_id = %s WHERE code_hash = %s",
            (self._clock(), pair and pair.session_id, code_hash),
        )
        return pair

    def _error_location(self, redirect_uri: str, state: str | None, error: str, description: str) -> str:
        return self._location(redirect_uri, {"error": error, "error_description": description}, state)

    def _location(self, redirect_uri: str, answer: dict[str, str], state: str | None) -> str:
        answer["iss"] = self._settings.public_url  # RFC 9207: the client sees whose answer it is.
        if state is not None:
            answer["state"] = state
        separator = "&" if urlsplit(redirect_uri).query else "?"
        return f"{redirect_uri}{separator}{urlencode(answer)}"


def requested_scopes(client: Client, text: str) -> tuple[Scope, ...]:
    """The scopes that a request asks for, those of everyday work where it names none. Raises ``OAuthError``."""
    wanted = frozenset(text.split()) if text.strip() else _DEFAULT_SCOPES & frozenset(client.scopes)
    unknown = wanted - frozenset(client.scopes)
    if unknown:
        named = [scope for scope in SCOPES if scope in client.scopes]
        raise OAuthError("invalid_scope", f"This client may ask for: {' '.join(named)}")
    return in_order(wanted)


def s256_challenge(verifier: str) -> str:
    """The code challenge of a verifier by the method S256 (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _problem(parameters: dict[str, str], state: str | None) -> tuple[str, str] | None:
    """Error and description of what is wrong with a request whose client is known."""
    if state is not None and (len(state) > STATE_MAX or not state.isprintable()):
        return "invalid_request", "state is too long or not printable"
    if parameters.get("response_type") != "code":
        return "unsupported_response_type", "Only response_type=code is served"
    if parameters.get("response_mode", "query") != "query":
        return "invalid_request", "Only response_mode=query is served"
    if parameters.get("code_challenge_method") != "S256":
        return "invalid_request", "PKCE with code_challenge_method=S256 is required"
    if not _CHALLENGE.fullmatch(parameters.get("code_challenge", "")):
        return "invalid_request", "code_challenge is not the base64url form of a SHA-256"
    return None


_CODE_NOT_GOOD = "The code is not good: used, expired, or made for another client, address or verifier"

_CODE = """
    SELECT c.account_id, c.client_id, c.redirect_uri, c.code_challenge, c.scopes, c.expires_at, c.used_at, c.session_id
    FROM identity.authorization_codes c JOIN identity.accounts a USING (account_id)
    WHERE c.code_hash = %s FOR SHARE OF a FOR UPDATE OF c"""
