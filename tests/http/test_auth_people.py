"""Accounts over HTTP: one's own, those that admins manage, invitations."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID

from adapters.ids import now, uuid7
from tests.http.harness import PASSWORD, PATIENCE_S, Person, RunningServer, problem
from tests.http.sessions import signed_in

NEW_PASSWORD = "eight louder lanterns"


async def test_a_person_changes_name_address_and_password(server: RunningServer) -> None:
    _, grace = await signed_in(server, "Grace")
    _, other = await signed_in(server, "Other")
    told = (await grace.send("PATCH", "/me", {"name": "Grace H.", "email": "Grace@example.org"})).json()
    assert (told["name"], told["email"]) == ("Grace H.", "Grace@example.org")
    taken = await other.send("PATCH", "/me", {"email": "grace@EXAMPLE.org"})
    problem(taken, 409, "account.email_taken")
    problem(await other.send("PATCH", "/me", {"email": "no address"}), 422, "account.email_refused")

    wrong = await grace.post("/me/password", {"present_password": "wrong", "new_password": NEW_PASSWORD})
    problem(wrong, 403, "account.wrong_password")
    weak = await grace.post("/me/password", {"present_password": PASSWORD, "new_password": "passwordpassword"})
    assert "over and over" in problem(weak, 422, "account.password_refused")["detail"]
    answer = await grace.post("/me/password", {"present_password": PASSWORD, "new_password": NEW_PASSWORD})
    assert answer.status_code == 204
    assert (await grace.get("/me")).status_code == 200, "the session that changed it goes on"
    body = {"email": "grace@example.org", "password": PASSWORD}
    problem(await server.anyone.post("/api/v1/auth/sign-in", json=body), 401, "auth.sign_in_refused")
    body["password"] = NEW_PASSWORD
    assert (await server.anyone.post("/api/v1/auth/sign-in", json=body)).status_code == 200


async def test_a_personal_token_is_shown_once_and_listed_with_its_last_use(server: RunningServer) -> None:
    _, grace = await signed_in(server, "Grace")
    expires_at = (now() + timedelta(days=1)).isoformat()
    answer = await grace.post("/tokens", {"name": "ci", "scopes": ["read"], "expires_at": expires_at})
    assert answer.status_code == 201
    created = answer.json()
    robot = Person(grace.account_id, server.client(created["token"]))
    assert (await robot.get("/me")).json()["scopes"] == ["read"]
    problem(await robot.post("/tokens", {"name": "more", "scopes": ["read"]}), 403, "auth.scope_missing")
    await server.parts.identity.verifier.write_last_uses()

    (listed,) = (await grace.get("/tokens")).json()["tokens"]
    assert "token" not in listed
    assert listed["last_used_at"] is not None
    assert listed["expires_at"] == created["expires_at"]

    assert (await grace.send("DELETE", f"/tokens/{created['token_id']}")).status_code == 204
    problem(await robot.get("/me"), 401, "auth.not_authenticated")
    assert (await grace.get("/tokens")).json() == {"tokens": []}
    problem(await grace.send("DELETE", f"/tokens/{uuid7()}"), 404, "account.token_unknown")


async def test_a_token_beyond_ones_own_reach_is_refused(server: RunningServer) -> None:
    _, grace = await signed_in(server, "Grace")
    problem(await grace.post("/tokens", {"name": "x", "scopes": ["admin"]}), 403, "account.scope_not_held")
    past = {"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    problem(await grace.post("/tokens", past), 422, "account.expiry_in_the_past")
    local = {"name": "x", "scopes": ["read"], "expires_at": "2030-01-01T00:00:00"}
    problem(await grace.post("/tokens", local), 400, "request.invalid")
    for time in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        timeless = {"name": "x", "scopes": ["read"], "expires_at": time}
        assert problem(await grace.post("/tokens", timeless), 422, "time.refused")["field"] == "expires_at"


async def test_a_socket_ticket_is_for_one_socket(server: RunningServer) -> None:
    _, grace = await signed_in(server, "Grace")
    ticket = (await grace.post("/socket-tickets")).json()["ticket"]
    assert ticket.startswith("hst_")
    caller = await server.parts.identity.verifier.redeem_ticket(ticket)
    assert caller.account_id == grace.account_id
    headers = {"authorization": f"Bearer {ticket}"}
    problem(await server.anyone.get("/api/v1/me", headers=headers), 401, "auth.not_authenticated")


async def test_an_admin_makes_lists_changes_locks_out_and_erases(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada", is_admin=True)
    body = {"email": "grace@example.org", "name": "Grace", "password": PASSWORD}
    made = (await ada.post("/accounts", body)).json()
    path = f"/accounts/{made['account_id']}"
    assert (made["is_admin"], made["disabled"]) == (False, False)
    assert "password" not in json.dumps(made)
    assert (await ada.get(path)).json() == made
    problem(await ada.post("/accounts", body), 409, "account.email_taken")

    promoted = (await ada.send("PATCH", path, {"is_admin": True, "name": "Grace H."})).json()
    assert (promoted["is_admin"], promoted["name"]) == (True, "Grace H.")
    assert (await ada.post(f"{path}/disable")).json()["disabled"] is True
    problem(
        await server.anyone.post("/api/v1/auth/sign-in", json={"email": body["email"], "password": PASSWORD}),
        401,
        "auth.sign_in_refused",
    )
    assert (await ada.post(f"{path}/enable")).json()["disabled"] is False
    assert (await ada.post(f"{path}/password", {"new_password": NEW_PASSWORD})).status_code == 204

    assert (await ada.send("DELETE", path)).status_code == 204
    problem(await ada.get(path), 404, "account.unknown")
    problem(await ada.post(f"{path}/enable"), 409, "account.erased")
    people = (await ada.get("/people", params={"ids": made["account_id"]})).json()["people"]
    assert people == [{"account_id": made["account_id"], "name": f"erased-{made['account_id']}"}]


async def test_the_last_admin_cannot_leave(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada", is_admin=True)
    path = f"/accounts/{ada.account_id}"
    for answer in (
        await ada.send("PATCH", path, {"is_admin": False}),
        await ada.post(f"{path}/disable"),
        await ada.send("DELETE", path),
    ):
        problem(answer, 409, "account.last_admin")
    assert (await ada.get("/me")).status_code == 200


async def test_the_same_request_with_a_key_makes_one_account(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada", is_admin=True)
    body = {"email": "grace@example.org", "name": "Grace", "password": PASSWORD}
    first, second = [await ada.post("/accounts", body, idempotency_key="k1") for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = await ada.post("/accounts", {**body, "email": "eve@example.org"}, idempotency_key="k1")
    problem(other, 422, "idempotency.key_reused")
    stored = await server.parts.database.fetch_all("SELECT fingerprint FROM eventlog.idempotency_keys")
    assert len(stored) == 1


async def test_accounts_are_listed_by_pages_and_searched(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Ada", is_admin=True)
    for number in range(5):
        await server.person(f"Person{number}")
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = (await ada.get("/accounts", params=params)).json()
        assert len(page["accounts"]) <= 2
        seen += [account["name"] for account in page["accounts"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == ["Ada", *(f"Person{number}" for number in range(5))]
    found = (await ada.get("/accounts", params={"search": "SON3"})).json()["accounts"]
    assert [account["name"] for account in found] == ["Person3"]
    assert (await ada.get("/accounts", params={"search": "100%_"})).json()["accounts"] == []
    for bad in ({"limit": 0}, {"limit": 1_000}, {"limit": "x"}, {"search": "\0"}, {"search": "x" * 200}):
        assert (await ada.get("/accounts", params=bad)).status_code == 400
    problem(await ada.get("/accounts", params={"cursor": "nonsense"}), 422, "paging.cursor_invalid")


async def test_managing_needs_an_admin_with_an_admin_token(server: RunningServer) -> None:
    member = await server.person("Mia")
    ada = await server.person("Ada", is_admin=True, scopes=["read", "write", "live"])
    full = await server.person("Ada", is_admin=True)
    for path in ("/accounts", "/oauth-clients"):
        problem(await member.get(path), 403, "auth.scope_missing")
        problem(await ada.get(path), 403, "auth.scope_missing")
        assert (await full.get(path)).status_code == 200


async def test_names_are_shown_to_who_shares_a_project(server: RunningServer) -> None:
    olga, mia, stranger = [await server.person(name) for name in ("Olga", "Mia", "Stranger")]
    project_id = await olga.project()
    await olga.let_in(project_id, mia)
    ids = ",".join(str(person.account_id) for person in (olga, mia, stranger))

    async def names(person: Person) -> set[str]:
        return {each["name"] for each in (await person.get("/people", params={"ids": ids})).json()["people"]}

    async with asyncio.timeout(PATIENCE_S):
        while await names(mia) != {"Olga", "Mia"}:
            await asyncio.sleep(0.01)
    assert await names(stranger) == {"Stranger"}
    await mia.task(project_id)
    await olga.send("DELETE", f"/projects/{project_id}/members/{mia.account_id}")
    async with asyncio.timeout(PATIENCE_S):
        while await names(mia) != {"Mia"}:
            await asyncio.sleep(0.01)
    assert await names(olga) == {"Olga", "Mia"}, "who did something here stays known by name"
    for bad in ("", "nonsense", ",".join(str(uuid7()) for _ in range(101)), "x" * 5_000):
        assert (await olga.get("/people", params={"ids": bad})).status_code == 400


async def test_an_owner_invites_somebody_into_the_project(server: RunningServer) -> None:
    olga = await server.person("Olga")
    project_id = await olga.project()
    body = {"email": "grace@example.org", "project_id": str(project_id), "role": "member", "expires_in": 3600}
    created = (await olga.post("/invitations", body)).json()
    assert created["link"] == f"http://localhost:4000/invitation?token={created['token']}"
    (listed,) = (await olga.get("/invitations")).json()["invitations"]
    assert "token" not in listed
    assert listed["invitation_id"] == created["invitation_id"]

    acceptance = {"token": created["token"], "name": "Grace", "password": PASSWORD}
    answer = await server.anyone.post("/api/v1/invitations/accept", json=acceptance)
    assert answer.status_code == 201, answer.text
    body = {"email": "grace@example.org", "password": PASSWORD}
    pair = (await server.anyone.post("/api/v1/auth/sign-in", json=body)).json()
    grace = Person(UUID(pair["account_id"]), server.client(pair["access_token"]))
    await grace.task(project_id)
    again = await server.anyone.post("/api/v1/invitations/accept", json=acceptance)
    problem(again, 404, "invitation.unknown")


async def test_an_invitation_is_taken_back(server: RunningServer) -> None:
    ada = await server.person("Ada", is_admin=True)
    created = (await ada.post("/invitations", {})).json()
    assert (await ada.send("DELETE", f"/invitations/{created['invitation_id']}")).status_code == 204
    acceptance = {"token": created["token"], "name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    answer = await server.anyone.post("/api/v1/invitations/accept", json=acceptance)
    problem(answer, 404, "invitation.unknown")
    assert (await ada.get("/invitations")).json() == {"invitations": [], "next_cursor": None}


async def test_who_may_not_invite_is_told_why(server: RunningServer) -> None:
    mia = await server.person("Mia")
    problem(await mia.post("/invitations", {}), 403, "account.not_an_admin")
    body = {"project_id": str(uuid7()), "role": "member"}
    problem(await mia.post("/invitations", body), 403, "invitation.may_not_invite")
    problem(await mia.post("/invitations", {"role": "owner"}), 422, "invitation.role_without_project")
    problem(await mia.post("/invitations", {"expires_in": 1}), 400, "request.invalid")


async def test_nothing_personal_or_secret_reaches_the_log(server: RunningServer) -> None:
    _, ada = await signed_in(server, "Adalovelace", is_admin=True)
    created = (await ada.post("/invitations", {"email": "hopper@example.org"})).json()
    token = (await ada.post("/tokens", {"name": "tokenname", "scopes": ["read"]})).json()["token"]
    body = {"token": created["token"], "name": "Gracehopper", "password": PASSWORD}
    await server.anyone.post("/api/v1/invitations/accept", json=body)
    rows = await server.parts.database.fetch_all("SELECT e::text FROM eventlog.events e")
    log = "\n".join(row[0] for row in rows)
    assert "invitation.accepted.v1" in log
    for secret in ("hopper", "lovelace", "tokenname", PASSWORD, token[4:], created["token"][4:], "argon2"):
        assert secret.lower() not in log.lower(), secret
