"""Sessions of new people through the front door, for the tests of accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from tests.http.harness import PASSWORD, Person, RunningServer


async def signed_in(server: RunningServer, name: str, *, is_admin: bool = False) -> tuple[dict[str, Any], Person]:
    """A session of somebody new, through the front door."""
    person = await server.person(name, is_admin=is_admin)
    email = (await person.get("/me")).json()["email"]
    answer = await server.anyone.post("/api/v1/auth/sign-in", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    pair = answer.json()
    return pair, Person(UUID(pair["account_id"]), server.client(pair["access_token"]))


async def refresh(server: RunningServer, token: str) -> httpx.Response:
    return await server.anyone.post("/api/v1/auth/refresh", json={"refresh_token": token})
