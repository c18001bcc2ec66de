"""The address that attempts are counted by: told by trusted proxies alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity.client_ip import TrustedProxies

PROXIES = TrustedProxies(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "header", "counted"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("fd00::1", "[2001:db8::1]:443", "2001:db8::/64"),
        ("2001:db8::1", None, "2001:db8::/64"),
        ("2001:db8::2", None, "2001:db8::/64"),
        ("2001:db8:0:1::2", None, "2001:db8:0:1::/64"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        (None, "203.0.113.9", "unknown"),
    ],
)
def test_whose_address_counts(peer: str | None, header: str | None, counted: str) -> None:
    assert PROXIES.client_ip(peer, header) == counted


def test_without_trusted_proxies_the_header_says_nothing() -> None:
    assert TrustedProxies([]).client_ip("10.0.0.1", "203.0.113.9") == "10.0.0.1"


@given(st.text(max_size=100))
def test_any_header_has_an_answer(header: str) -> None:
    assert PROXIES.client_ip("10.0.0.1", header)
    assert PROXIES.client_ip(header, header)


def test_a_header_of_a_hundred_thousand_entries_is_read_from_its_end() -> None:
    assert PROXIES.client_ip("10.0.0.1", "10.0.0.9," * 100_000 + "203.0.113.9") == "203.0.113.9"
