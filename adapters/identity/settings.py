"""How long secrets live and how often they may be tried; every value has its reason beside it."""

from __future__ import annotations

import msgspec

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


class PasswordCost(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of one Argon2id hash: RFC 9106, section 4, second recommended option (64 MiB, three passes)."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4


class Attempts(msgspec.Struct, frozen=True):
    """So many attempts in so many seconds."""

    amount: int
    window_s: int


class IdentitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about accounts and access that an installation may choose."""

    public_url: str = "http://localhost:4000"
    """The address that people and clients use; without a slash at its end. Also the issuer of tokens (RFC 8414)."""

    redis_url: str | None = None
    """Where attempts are counted for all nodes; without it each process counts its own."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose ``X-Forwarded-For`` is believed."""

    access_token_ttl_s: int = 15 * MINUTE_S
    refresh_token_ttl_s: int = 30 * DAY_S
    """A session that was not renewed for so long is over."""

    session_ttl_s: int = 90 * DAY_S
    """However often it is renewed, a session is over after so long."""

    browser_session_ttl_s: int = 12 * HOUR_S
    authorization_code_ttl_s: int = MINUTE_S
    device_code_ttl_s: int = 10 * MINUTE_S
    device_poll_interval_s: int = 5
    socket_ticket_ttl_s: int = 30
    invitation_ttl_s: int = 7 * DAY_S

    password_cost: PasswordCost = PasswordCost()
    password_hashes_at_once: int = 2
    """Each takes a core for a tenth of a second, and its memory."""

    sign_in_by_account_and_ip: Attempts = Attempts(10, 15 * MINUTE_S)
    sign_in_by_ip: Attempts = Attempts(100, 15 * MINUTE_S)
    sign_in_by_account: Attempts = Attempts(100, HOUR_S)
    """NIST SP 800-63B, section 3.2.2: no more than 100 failed attempts in a row on one account."""

    token_requests_by_ip: Attempts = Attempts(300, 5 * MINUTE_S)
    device_code_entries: Attempts = Attempts(10, 10 * MINUTE_S)
    set_up_attempts: Attempts = Attempts(10, 15 * MINUTE_S)
    invitation_attempts: Attempts = Attempts(20, 15 * MINUTE_S)
    live_join_attempts: Attempts = Attempts(600, 15 * MINUTE_S)
    """A class joins from one address; an invite of 256 bits is not guessed."""

    requests_by_account: Attempts = Attempts(12_000, MINUTE_S)
    """Per process, all routes and socket openings together; an amount of 0 turns it off."""

    requests_by_ip: Attempts = Attempts(3_000, MINUTE_S)
    """The same for requests without a token."""
