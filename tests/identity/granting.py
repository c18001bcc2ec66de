"""A program's request and a clock that is put forward by hand, for the tests of the grants."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from adapters.identity.authorization import (
    s256_challenge,
)
from adapters.ids import now
from tests.identity.node import ADMIN_EMAIL, Node

VERIFIER = "a-verifier-of-forty-three-characters-at-least"
LOOPBACK = "http://127.0.0.1:49152/callback"
REQUEST = {
    "response_type": "code",
    "client_id": "hivesync-cli",
    "redirect_uri": LOOPBACK,
    "scope": "read write",
    "state": "xyz",
    "code_challenge": s256_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


def answer_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def code_for(node: Node, email: str = ADMIN_EMAIL, **changes: str) -> str:
    request = await node.identity.authorization.check({**REQUEST, **changes})
    person = await node.identity.rows.find_by_email(email)
    assert person is not None
    return answer_of(await node.identity.authorization.approve(request, person.account_id))["code"]
