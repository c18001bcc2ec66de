"""The address that a request came from, past the proxies that are trusted to tell it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

FORWARDED_MAX = 20
"""Entries of ``X-Forwarded-For`` that are read, counted from the nearest."""

IPV6_CUSTOMER_BITS = 64
"""A customer of an IPv6 provider has a whole network of this size: it counts as one address."""


class TrustedProxies:
    """Knows which peers may speak for others."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(network.strip(), strict=False) for network in networks
        )
        self._is_trusted = lru_cache(maxsize=4096)(self._look_up)

    def client_ip(self, peer: str | None, forwarded_for: str | None) -> str:
        """The address to count by. The header is read from its end, and only as far as trusted proxies wrote it."""
        address = peer or "unknown"
        if forwarded_for and self._networks and self._is_trusted(address):
            for entry in reversed(forwarded_for.split(",")[-FORWARDED_MAX:]):
                candidate = _plain(entry)
                if candidate is None:
                    break
                address = candidate
                if not self._is_trusted(address):
                    break
        return _counted(address)

    def _look_up(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed.version == network.version and parsed in network for network in self._networks)


def _plain(entry: str) -> str | None:
    """An entry of the header without a port or brackets, none where it is no address."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _counted(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, IPV6_CUSTOMER_BITS), strict=False))
    return str(parsed)
