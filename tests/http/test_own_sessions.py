"""People see where they are signed in, and throw out what they do not know."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.ids import uuid7
from tests.http.harness import PASSWORD, PATIENCE_S, Person, RunningServer, problem, running
from tests.http.sessions import refresh, signed_in


async def again(server: RunningServer, person: Person) -> tuple[dict[str, Any], Person]:
    """Another sign-in of the same person."""
    email = (await person.get("/me")).json()["email"]
    answer = await server.anyone.post("/api/v1/auth/sign-in", json={"email": email, "password": PASSWORD})
    pair = answer.json()
    return pair, Person(person.account_id, server.client(pair["access_token"]))


async def sessions(person: Person) -> list[dict[str, Any]]:
    answer = await person.get("/me/sessions")
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["sessions"]
    return listed


async def other_than(person: Person, known: set[str]) -> str:
    """The id of the one sign-in that is not known yet."""
    (found,) = {session["session_id"] for session in await sessions(person)} - known
    return found


async def test_every_sign_in_of_ones_own_is_listed_and_the_one_that_asks_is_marked(server: RunningServer) -> None:
    pair, ada = await signed_in(server, "Ada")
    _, grace = await signed_in(server, "Grace")
    before = await sessions(ada)
    _, phone = await again(server, ada)
    listed = await sessions(phone)
    assert [session["is_current"] for session in listed] == [True, *(False for _ in before)]
    assert {session["session_id"] for session in before} < {session["session_id"] for session in listed}
    assert listed[0]["client_id"] == "direct"
    assert listed[0]["client_name"] is None
    assert listed[0]["created_at"] <= listed[0]["last_used_at"] < listed[0]["expires_at"]
    assert sum(session["is_current"] for session in await sessions(ada)) == 1
    theirs = {session["session_id"] for session in await sessions(grace)}
    assert theirs.isdisjoint(session["session_id"] for session in listed)
    renewed = (await refresh(server, pair["refresh_token"])).json()
    first = (await sessions(Person(ada.account_id, server.client(renewed["access_token"]))))[0]
    assert first["is_current"], "the one used last comes first"


async def test_one_is_ended_at_once_and_on_every_node(postgres_url: str) -> None:
    async with running(postgres_url) as here, running(postgres_url) as there:
        _, ada = await signed_in(here, "Ada")
        known = {session["session_id"] for session in await sessions(ada)}
        pair, phone = await again(here, ada)
        elsewhere = Person(ada.account_id, there.client(pair["access_token"]))
        assert (await elsewhere.get("/me")).status_code == 200
        answer = await ada.send("DELETE", f"/me/sessions/{await other_than(ada, known)}")
        assert answer.status_code == 204, answer.text
        problem(await phone.get("/me"), 401, "auth.not_authenticated")
        async with asyncio.timeout(PATIENCE_S):
            while (await elsewhere.get("/me")).status_code != 401:
                await asyncio.sleep(0.01)
        assert (await refresh(here, pair["refresh_token"])).status_code == 401
        assert (await ada.get("/me")).status_code == 200


async def test_all_others_are_ended_and_tokens_of_programs_stay(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada")
    _, grace = await signed_in(server, "Grace")
    made = await ada.post("/tokens", {"name": "ci", "scopes": ["read"]})
    program = Person(ada.account_id, server.client(made.json()["token"]))
    _, phone = await again(server, ada)
    count = len(await sessions(ada))
    answer = await ada.post("/me/sessions/end-others")
    assert (answer.status_code, answer.json()) == (200, {"ended": count - 1})
    assert (await phone.get("/me")).status_code == 401
    assert [session["is_current"] for session in await sessions(ada)] == [True]
    assert [session["is_current"] for session in await sessions(program)] == [False]
    assert (await grace.get("/me")).status_code == 200
    assert (await ada.post("/me/sessions/end-others")).json() == {"ended": 0}


async def test_a_browser_that_was_thrown_out_is_asked_for_the_password_again(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada")
    browsers = server.parts.identity.browser_sessions
    cookie = await browsers.begin(ada.account_id)
    assert await browsers.account_of(cookie) is not None
    await again(server, ada)
    await ada.post("/me/sessions/end-others")
    assert await browsers.account_of(cookie) is None


async def test_what_is_no_sign_in_of_ones_own_is_not_there(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada")
    _, grace = await signed_in(server, "Grace")
    (theirs, *_) = await sessions(grace)
    for session_id in (theirs["session_id"], str(uuid7())):
        problem(await ada.send("DELETE", f"/me/sessions/{session_id}"), 404, "account.no_such_session")
    problem(await ada.send("DELETE", "/me/sessions/nonsense"), 404, "request.no_such_address")
    assert (await grace.get("/me")).status_code == 200
