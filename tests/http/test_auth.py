"""Signing in over HTTP, and being turned away; on a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import msgspec

from adapters.identity.secrets import ACCESS, new_token
from adapters.identity.settings import Attempts
from adapters.main import build, identity_settings
from shared.settings import Settings
from tests.http.harness import CHEAP, PASSWORD, PATIENCE_S, Person, RunningServer, data_folder, problem, running
from tests.http.sessions import refresh, signed_in
from tests.identity.node import WINDOW_S


async def test_a_person_signs_in_renews_and_signs_out(server: RunningServer) -> None:
    pair, grace = await signed_in(server, "Grace")
    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == 900
    assert pair["scopes"] == ["read", "write", "live"]
    told = (await grace.get("/me")).json()
    assert (told["name"], told["is_admin"], told["scopes"]) == ("Grace", False, ["read", "write", "live"])

    renewed = await refresh(server, pair["refresh_token"])
    assert renewed.headers["cache-control"] == "no-store"
    grace.client.headers["authorization"] = f"Bearer {renewed.json()['access_token']}"
    assert (await grace.post("/auth/sign-out")).status_code == 204

    problem(await grace.get("/me"), 401, "auth.not_authenticated")
    problem(await refresh(server, renewed.json()["refresh_token"]), 401, "auth.not_authenticated")


async def test_a_reused_refresh_token_ends_the_session(server: RunningServer) -> None:
    pair, grace = await signed_in(server, "Grace")
    renewed = (await refresh(server, pair["refresh_token"])).json()
    told = problem(await refresh(server, pair["refresh_token"]), 401, "auth.not_authenticated")
    assert "reuse" not in told["detail"], "a thief is not told what happened"
    problem(await grace.get("/me"), 401, "auth.not_authenticated")
    problem(await refresh(server, renewed["refresh_token"]), 401, "auth.not_authenticated")


async def test_a_wrong_password_and_an_unknown_address_read_the_same(server: RunningServer) -> None:
    await server.person("Grace")
    _, grace = await signed_in(server, "Grace")
    email = (await grace.get("/me")).json()["email"]
    answers = [
        await server.anyone.post("/api/v1/auth/sign-in", json={"email": who, "password": "not this one at all"})
        for who in (email, "nobody@example.org", "x", "a\u0000b")
    ]
    details = {problem(answer, 401, "auth.sign_in_refused")["detail"] for answer in answers}
    assert len(details) == 1


async def test_a_session_may_be_asked_for_with_fewer_scopes(server: RunningServer) -> None:
    _, grace = await signed_in(server, "Grace")
    email = (await grace.get("/me")).json()["email"]
    body = {"email": email, "password": PASSWORD, "scopes": ["read", "admin"]}
    pair = (await server.anyone.post("/api/v1/auth/sign-in", json=body)).json()
    assert pair["scopes"] == ["read"]
    reader = Person(grace.account_id, server.client(pair["access_token"]))
    told = problem(await reader.send("PATCH", "/me", {"name": "Eve"}), 403, "auth.scope_missing")
    assert told["scope"] == "write"
    answer = await reader.send("PATCH", "/me", {"name": "Eve"})
    assert answer.headers["www-authenticate"].endswith('error="insufficient_scope", scope="write"')


def _jwt(header: dict[str, Any], payload: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload))
    return ".".join((*parts, ""))


NO_GOOD_TOKENS = [
    None,
    "",
    "Bearer",
    "Bearer nonsense",
    f"Basic {base64.b64encode(b'ada:secret').decode()}",
    f"Bearer {new_token(ACCESS)}",
    f"Bearer {new_token('hsr_')}",
    f"Bearer {new_token('hst_')}",
    f"bearer {new_token('hsp_')}",
    f"Bearer {_jwt({'alg': 'none', 'typ': 'JWT'}, {'sub': 'admin', 'scope': 'admin'})}",
    "Bearer " + "x" * 20_000,
    "Bearer hsa_" + "0" * 49,
    "Bearer a b c",
    "Bearer \xe9\xe9\xe9",
]


async def test_what_is_no_good_token_is_401_with_a_challenge(server: RunningServer) -> None:
    for path in ("/api/v1/me", "/api/v1/accounts"):
        for authorization in NO_GOOD_TOKENS:
            headers = {} if authorization is None else {"authorization": authorization.encode("latin-1")}
            answer = await server.anyone.get(path, headers=headers)
            problem(answer, 401, "auth.not_authenticated")
            challenge = answer.headers["www-authenticate"]
            assert challenge.startswith('Bearer realm="hivesync"'), authorization
            assert ("error=" in challenge) == (authorization is not None), authorization


async def test_two_tokens_in_one_request_are_none(server: RunningServer) -> None:
    pair, _ = await signed_in(server, "Grace")
    header = ("authorization", f"Bearer {pair['access_token']}")
    problem(await server.anyone.get("/api/v1/me", headers=[header, header]), 401, "auth.not_authenticated")


async def test_a_token_in_the_address_or_in_a_cookie_is_none(server: RunningServer) -> None:
    pair, _ = await signed_in(server, "Grace")
    token = pair["access_token"]
    problem(await server.anyone.get(f"/api/v1/me?access_token={token}"), 401, "auth.not_authenticated")
    cookies = {"cookie": f"hivesync={token}; __Host-hivesync={token}"}
    problem(await server.anyone.get("/api/v1/me", headers=cookies), 401, "auth.not_authenticated")


async def test_an_expired_token_says_so(server: RunningServer) -> None:
    pair, grace = await signed_in(server, "Grace")
    await server.parts.database.execute(
        "UPDATE identity.access_tokens SET expires_at = now() - interval '1 second' WHERE session_id IN "
        "(SELECT session_id FROM identity.sessions WHERE account_id = %s)",
        (grace.account_id,),
    )
    answer = await server.anyone.get("/api/v1/me", headers={"authorization": f"Bearer {pair['access_token']}"})
    problem(answer, 401, "auth.not_authenticated")
    assert "The token has expired" in answer.headers["www-authenticate"]


async def test_a_session_that_ends_on_one_node_is_over_on_the_other(postgres_url: str, server: RunningServer) -> None:
    async with running(postgres_url) as other:
        pair, grace = await signed_in(server, "Grace")
        elsewhere = Person(grace.account_id, other.client(pair["access_token"]))
        for _ in range(3):
            assert (await elsewhere.get("/me")).status_code == 200
        assert (await grace.post("/auth/sign-out")).status_code == 204
        async with asyncio.timeout(PATIENCE_S):
            while (await elsewhere.get("/me")).status_code == 200:
                await asyncio.sleep(0.005)
        problem(await elsewhere.get("/me"), 401, "auth.not_authenticated")
        problem(await refresh(other, pair["refresh_token"]), 401, "auth.not_authenticated")


WRONG_SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("/auth/sign-in", {}),
    ("/auth/sign-in", {"email": 1, "password": PASSWORD}),
    ("/auth/sign-in", {"email": "a@b", "password": PASSWORD, "remember": True}),
    ("/auth/sign-in", {"email": "a@b", "password": "x" * 2_000}),
    ("/auth/sign-in", {"email": "a@b", "password": PASSWORD, "scopes": ["everything"]}),
    ("/auth/sign-in", {"email": "a@b", "password": PASSWORD, "scopes": []}),
    ("/auth/refresh", {"refresh_token": None}),
    ("/auth/refresh", {"refresh_token": "x" * 10_000}),
    ("/invitations/accept", {"token": "x"}),
    ("/invitations/accept", {"token": "x", "name": "a\u0000b", "password": PASSWORD}),
    ("/invitations/accept", {"token": "x", "name": " ", "password": PASSWORD}),
]


async def test_a_body_of_the_wrong_shape_is_400(server: RunningServer) -> None:
    for path, body in WRONG_SHAPES:
        told = problem(await server.anyone.post(f"/api/v1{path}", json=body), 400, "request.invalid")
        assert told["errors"], body


async def test_what_is_no_json_is_400(server: RunningServer) -> None:
    headers = {"content-type": "application/json"}
    for body in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"email":"\xed\xa0\x80"}', b"null", b"3"):
        answer = await server.anyone.post("/api/v1/auth/sign-in", content=body, headers=headers)
        assert answer.status_code == 400, body[:20]
        assert answer.headers["content-type"] == "application/problem+json"


async def _guarded(postgres_url: str, **limits: Attempts) -> RunningServer:
    settings = Settings(database_url=postgres_url, data_dir=data_folder())
    chosen = msgspec.structs.replace(identity_settings(settings), password_cost=CHEAP, **limits)
    return RunningServer(build(settings, chosen))


async def test_guessing_is_429_with_how_long_to_wait(postgres_url: str) -> None:
    async with await _guarded(postgres_url, sign_in_by_account_and_ip=Attempts(3, WINDOW_S)) as server:
        guess = {"email": "ada@example.org", "password": "not this one at all"}
        for _ in range(3):
            problem(await server.anyone.post("/api/v1/auth/sign-in", json=guess), 401, "auth.sign_in_refused")
        answer = await server.anyone.post("/api/v1/auth/sign-in", json=guess)
        problem(answer, 429, "rate.limited")
        assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S


async def test_a_flood_is_429_by_account_and_by_address(postgres_url: str) -> None:
    limits = {"requests_by_account": Attempts(5, WINDOW_S), "requests_by_ip": Attempts(8, WINDOW_S)}
    async with await _guarded(postgres_url, **limits) as server:
        grace, other = await server.person("Grace"), await server.person("Other")
        answers = [(await grace.get("/me")).status_code for _ in range(7)]
        assert answers == [200] * 5 + [429] * 2
        assert (await other.get("/me")).status_code == 200, "another account goes on, from the same address"
        bad = {"authorization": f"Bearer {new_token(ACCESS)}"}
        answers = [(await server.anyone.get("/api/v1/me", headers=bad)).status_code for _ in range(10)]
        assert answers == [401] * 8 + [429] * 2
        answer = await server.anyone.post("/api/v1/auth/sign-in", json={"email": "x", "password": "x"})
        problem(answer, 429, "rate.limited")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await other.get("/me")).status_code == 200, "a good token is not counted by address"


async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(postgres_url: str) -> None:
    guess = {"email": "ada@example.org", "password": "not this one at all"}
    for trusted, expected in (((), [401, 401, 429]), (("127.0.0.1",), [401, 401, 401])):
        settings = Settings(database_url=postgres_url, data_dir=data_folder(), trusted_proxies=trusted)
        chosen = msgspec.structs.replace(
            identity_settings(settings), password_cost=CHEAP, sign_in_by_ip=Attempts(2, WINDOW_S)
        )
        async with RunningServer(build(settings, chosen)) as server:
            answers = [
                await server.anyone.post(
                    "/api/v1/auth/sign-in", json=guess, headers={"x-forwarded-for": f"192.0.2.{number}"}
                )
                for number in range(3)
            ]
            assert [answer.status_code for answer in answers] == expected
