"""Which web pages may open a socket (RFC 6455, section 10.2); programs that are no browsers send no Origin and may."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_SECRET = re.compile(
    rb"(?:^|[&;])[^=&;]*(?:token|ticket|auth|secret|jwt|password)[^=&;]*=|hs[a-z]_[0-9a-z]{8}", re.IGNORECASE
)


class AllowedOrigins:
    """The server's own origin, and those that the installation allows beside."""

    def __init__(self, public_url: str, also: Iterable[str] = ()) -> None:
        self._allowed = {_normal(origin) for origin in (public_url, *also)} - {None}

    def allow(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a handshake with these headers may open a socket."""
        named: dict[bytes, list[str]] = {}
        for name, value in headers:
            if name in (b"origin", b"host"):
                named.setdefault(name, []).append(value.decode("latin-1"))
        origins = named.get(b"origin", [])
        if not origins:
            return True
        if len(origins) > 1:
            return False
        return _normal(origins[0]) in self._allowed or _is_same_machine(origins[0], named.get(b"host", []))


def _is_same_machine(origin: str, hosts: list[str]) -> bool:
    """Whether the page was loaded from the very address that the socket is opened at, by number or as localhost.

    A name does not count: whoever owns it can point it here after the page was loaded (DNS rebinding).
    """
    own = _normal(f"http://{hosts[0]}") if len(hosts) == 1 else None
    page = _normal(origin)
    if own is None or page is None or page[0] != "http" or page[1:] != own[1:]:
        return False
    return own[1] == "localhost" or _is_address(own[1])


def _normal(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin, none where it is not one."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def names_a_secret(query: bytes) -> bool:
    """Whether the query of an address carries what looks like a token."""
    return _SECRET.search(query) is not None
