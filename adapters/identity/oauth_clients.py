"""The programs that may ask for tokens, and where an answer to each may be sent.

All clients are public: a program on somebody's machine cannot keep a secret, so none is given (OAuth 2.1, section 2.1).
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg

from adapters.identity.settings import IdentitySettings
from adapters.postgres.connections import Database
from hivesync_core.accounts.scopes import Scope, in_order
from hivesync_core.kernel.refusal import Conflict, Invalid, NotFound

REDIRECT_URIS_MAX = 20
REDIRECT_URI_LENGTH_MAX = 500
CLIENTS_MAX = 500
CLIENT_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1"})


class ClientExists(Conflict):
    """Another client has this id."""

    code = "oauth_client.exists"
    title = "There is a client with this id"


class NoSuchClient(NotFound):
    """There is no client with this id, or it came with HiveSync and stays."""

    code = "oauth_client.unknown"
    title = "There is no such client that could be removed"


class RedirectUriRefused(Invalid):
    """An answer must not be sent there."""

    code = "oauth_client.redirect_uri_refused"
    title = "The redirect address cannot be used"


class Client(NamedTuple):
    """A program that may ask for tokens."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[Scope, ...]
    built_in: bool


class Clients:
    """Reads and writes ``identity.oauth_clients``."""

    def __init__(self, database: Database, settings: IdentitySettings) -> None:
        self._database, self._settings = database, settings

    async def find(self, client_id: str) -> Client | None:
        """The client with this id."""
        if not CLIENT_ID.fullmatch(client_id):
            return None
        row = await self._database.fetch_one(
            "SELECT client_id, name, redirect_uris, scopes, built_in FROM identity.oauth_clients WHERE client_id = %s",
            (client_id,),
        )
        return Client(row[0], row[1], tuple(row[2]), in_order(row[3]), row[4]) if row else None

    async def all(self) -> list[Client]:
        """Every client, by id."""
        rows = await self._database.fetch_all(
            "SELECT client_id, name, redirect_uris, scopes, built_in FROM identity.oauth_clients "
            "ORDER BY client_id LIMIT %s",
            (CLIENTS_MAX,),
        )
        return [Client(row[0], row[1], tuple(row[2]), in_order(row[3]), row[4]) for row in rows]

    async def add(self, client: Client) -> None:
        """Register a client. Raises ``ClientExists``, ``RedirectUriRefused``."""
        for uri in client.redirect_uris:
            refuse_redirect_uri(uri)
        try:
            await self._database.execute(
                "INSERT INTO identity.oauth_clients (client_id, name, redirect_uris, scopes) VALUES (%s, %s, %s, %s)",
                (client.client_id, client.name, list(client.redirect_uris), list(client.scopes)),
            )
        except psycopg.errors.UniqueViolation as error:
            raise ClientExists from error

    async def remove(self, client_id: str) -> None:
        """Remove a client that an admin added, and end its sessions. Raises ``NoSuchClient``."""
        async with self._database.transaction() as connection:
            removed = await connection.execute(
                "DELETE FROM identity.oauth_clients WHERE client_id = %s AND NOT built_in", (client_id,)
            )
            if removed.rowcount == 0:
                raise NoSuchClient
            await connection.execute("DELETE FROM identity.sessions WHERE client_id = %s", (client_id,))

    def allows_redirect(self, client: Client, uri: str) -> bool:
        """Whether an answer may be sent to ``uri``: character by character what was registered, but for a loopback's port.

        A program cannot know which port will be free when it listens on its own machine (RFC 8252, section 7.3).
        """
        for registered in client.redirect_uris:
            known = self._settings.public_url + registered if registered.startswith("/") else registered
            if uri == known or _same_but_for_port(known, uri):
                return True
        return False


def refuse_redirect_uri(uri: str) -> None:
    """Raise ``RedirectUriRefused`` for an address that would give codes away (RFC 8252, sections 7 and 8)."""
    if uri.startswith("/") and not uri.startswith("//"):
        return
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise RedirectUriRefused("The address cannot be read.", uri=uri) from error
    if not uri.isprintable() or " " in uri or not uri.isascii() or parts.fragment or uri.endswith("#") or "*" in uri:
        raise RedirectUriRefused("No spaces, fragments or wildcards: the address is compared as a whole.", uri=uri)
    if parts.username or parts.password or not parts.scheme:
        raise RedirectUriRefused("The address needs a scheme and no user name.", uri=uri)
    if parts.scheme == "http" and host not in _LOOPBACK_HOSTS:
        raise RedirectUriRefused("Plain http is for 127.0.0.1 and [::1] only.", uri=uri)
    if parts.scheme == "https" and not host:
        raise RedirectUriRefused("The address needs a host.", uri=uri)
    if parts.scheme in {"javascript", "data", "file", "blob", "about", "vbscript", "ftp", "ws", "wss"}:
        raise RedirectUriRefused(f"{parts.scheme}: is no address of a program.", uri=uri)


def _same_but_for_port(registered: str, uri: str) -> bool:
    try:
        known, given = urlsplit(registered), urlsplit(uri)
        port = given.port
    except ValueError:
        return False
    if known.scheme != "http" or known.hostname not in _LOOPBACK_HOSTS or port == 0:
        return False
    host = f"[{known.hostname}]" if known.hostname and ":" in known.hostname else known.hostname
    wanted = known._replace(netloc=f"{host}:{port}" if port is not None else f"{host}")
    # Put together again and compared as text: nothing that a parser overlooks can hide in between.
    return wanted.geturl() == uri
