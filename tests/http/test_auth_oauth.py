"""OAuth over HTTP, driven by Authlib's client and by hand."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from adapters.identity.settings import Attempts
from adapters.main import build, identity_settings
from shared.settings import Settings
from tests.http.harness import CHEAP, PASSWORD, RunningServer, data_folder, problem, running
from tests.http.visiting import LOOPBACK, REQUEST, VERIFIER, Browser, code_from, email_of, error_of, exchange
from tests.identity.node import WINDOW_S


async def test_the_metadata_is_in_order_by_authlibs_judgement(postgres_url: str) -> None:
    async with running(postgres_url, public_url="https://hivesync.test") as server:
        answer = await server.anyone.get("/.well-known/oauth-authorization-server")
        metadata = AuthorizationServerMetadata(answer.json())
        metadata.validate()
        assert metadata["issuer"] == "https://hivesync.test"
        assert metadata["code_challenge_methods_supported"] == ["S256"]
        for name in ("token", "revocation", "device_authorization"):
            path = urlsplit(metadata[f"{name}_endpoint"]).path
            assert error_of(await server.anyone.post(path, data={"x": "y"})) == "invalid_request"


async def test_authlibs_client_signs_in_renews_and_revokes(server: RunningServer) -> None:
    grace = await server.person("Grace")
    async with AsyncOAuth2Client(
        "hivesync-cli",
        redirect_uri=LOOPBACK,
        scope="read write",
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        revocation_endpoint_auth_method="none",
    ) as client:
        address, state = client.create_authorization_url("/oauth/authorize", code_verifier=VERIFIER)
        browser = Browser(server)
        await browser.open(address)
        assert browser.title == "Sign in"
        await browser.send("/oauth/sign-in", email=await email_of(grace), password=PASSWORD)
        assert browser.title == "Allow this program?"
        location = (await browser.send("/oauth/authorize", decision="allow")).headers["location"]
        token = await client.fetch_token(
            f"{server.url}/oauth/token", authorization_response=location, state=state, code_verifier=VERIFIER
        )
        assert token["scope"] == "read write"
        me = (await client.get(f"{server.url}/api/v1/me")).json()
        assert UUID(me["account_id"]) == grace.account_id
        renewed = await client.refresh_token(f"{server.url}/oauth/token", refresh_token=token["refresh_token"])
        assert renewed["access_token"] != token["access_token"]
        revoked = await client.revoke_token(f"{server.url}/oauth/revoke", token=renewed["refresh_token"])
        assert revoked.status_code == 200, revoked.text
        answer = await server.client(renewed["access_token"]).get("/api/v1/me")
        problem(answer, 401, "auth.not_authenticated")


async def test_the_answer_says_whose_it_is(server: RunningServer) -> None:
    location, answer = await code_from(server, await server.person("Grace"))
    assert location.startswith(LOOPBACK + "?")
    assert (answer["state"], answer["iss"]) == ("xyz", "http://localhost:4000")


async def test_a_wrong_verifier_or_address_gets_nothing(server: RunningServer) -> None:
    grace = await server.person("Grace")
    for changes in ({"code_verifier": VERIFIER[::-1]}, {"redirect_uri": "http://127.0.0.1:1/callback"}):
        _, answer = await code_from(server, grace)
        assert error_of(await exchange(server, answer["code"], **changes)) == "invalid_grant"
        assert error_of(await exchange(server, answer["code"])) == "invalid_grant", "the code is used up"


async def test_a_code_that_comes_back_revokes_what_it_gave(server: RunningServer) -> None:
    _, answer = await code_from(server, await server.person("Grace"))
    pair = (await exchange(server, answer["code"])).json()
    client = server.client(pair["access_token"])
    assert (await client.get("/api/v1/me")).status_code == 200
    assert error_of(await exchange(server, answer["code"])) == "invalid_grant"
    problem(await client.get("/api/v1/me"), 401, "auth.not_authenticated")


async def test_a_reused_refresh_token_ends_the_programs_session(server: RunningServer) -> None:
    _, answer = await code_from(server, await server.person("Grace"))
    pair = (await exchange(server, answer["code"])).json()
    form = {"grant_type": "refresh_token", "client_id": "hivesync-cli", "refresh_token": pair["refresh_token"]}
    renewed = (await server.anyone.post("/oauth/token", data=form)).json()
    assert error_of(await server.anyone.post("/oauth/token", data=form)) == "invalid_grant"
    answer_to = await server.client(renewed["access_token"]).get("/api/v1/me")
    problem(answer_to, 401, "auth.not_authenticated")


async def test_revoking_what_is_not_known_or_not_ones_own_is_no_error_and_does_nothing(server: RunningServer) -> None:
    _, answer = await code_from(server, await server.person("Grace"))
    pair = (await exchange(server, answer["code"])).json()
    for token, client_id in (("nonsense", "hivesync-cli"), (pair["refresh_token"], "hivesync-vscode")):
        form = {"token": token, "client_id": client_id}
        assert (await server.anyone.post("/oauth/revoke", data=form)).status_code == 200
    assert (await server.client(pair["access_token"]).get("/api/v1/me")).status_code == 200


async def test_a_device_is_let_in_from_end_to_end(server: RunningServer) -> None:
    grace = await server.person("Grace")
    start = (
        await server.anyone.post(
            "/oauth/device_authorization", data={"client_id": "hivesync-cli", "scope": "read live"}
        )
    ).json()
    assert re.fullmatch("[A-Z]{4}-[A-Z]{4}", start["user_code"])
    assert start["verification_uri_complete"] == f"{start['verification_uri']}?user_code={start['user_code']}"
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "hivesync-cli",
        "device_code": start["device_code"],
    }
    assert error_of(await server.anyone.post("/oauth/token", data=form)) == "authorization_pending"
    assert error_of(await server.anyone.post("/oauth/token", data=form)) == "slow_down"

    browser = Browser(server)
    await browser.open(f"/device?user_code={start['user_code']}")
    assert browser.title == "Sign in"
    await browser.send("/oauth/sign-in", email=await email_of(grace), password=PASSWORD)
    assert browser.title == "Connect a device"
    assert browser.page is not None
    assert f'value="{start["user_code"]}"' in browser.page.text
    assert (await browser.send("/device", user_code="BBBB-BBBB")).status_code == 400
    await browser.send("/device", user_code=start["user_code"].lower().replace("-", " "))
    assert browser.title == "Let this device in?"
    assert "HiveSync command line" in browser.page.text
    await browser.send("/device/decision", decision="allow")
    assert browser.title == "The device is in"

    await server.parts.database.execute("UPDATE identity.device_codes SET last_polled_at = NULL")
    pair = (await server.anyone.post("/oauth/token", data=form)).json()
    me = (await server.client(pair["access_token"]).get("/api/v1/me")).json()
    assert (UUID(me["account_id"]), me["scopes"]) == (grace.account_id, ["read", "live"])
    assert error_of(await server.anyone.post("/oauth/token", data=form)) == "invalid_grant"


async def test_typing_codes_is_limited(postgres_url: str) -> None:
    settings = Settings(database_url=postgres_url, data_dir=data_folder())
    chosen = msgspec.structs.replace(
        identity_settings(settings), password_cost=CHEAP, device_code_entries=Attempts(3, WINDOW_S)
    )
    async with RunningServer(build(settings, chosen)) as server:
        browser = Browser(server)
        await browser.open("/device")
        await browser.send("/oauth/sign-in", email=await email_of(await server.person("Grace")), password=PASSWORD)
        answers = [await browser.send("/device", user_code="BBBB-BBBB") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1


WRONG_TOKEN_REQUESTS = [
    ({"x": "y"}, "invalid_request"),
    ({"grant_type": "authorization_code"}, "invalid_request"),
    ({"client_id": "hivesync-cli"}, "invalid_request"),
    ({"client_id": "nobody", "grant_type": "refresh_token"}, "invalid_client"),
    ({"client_id": "a\0b", "grant_type": "refresh_token"}, "invalid_client"),
    ({"client_id": "hivesync-cli", "grant_type": "password"}, "unsupported_grant_type"),
    ({"client_id": "hivesync-cli", "grant_type": "client_credentials"}, "unsupported_grant_type"),
    ({"client_id": "hivesync-cli", "grant_type": "refresh_token"}, "invalid_request"),
    ({"client_id": "hivesync-cli", "grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
    ({"client_id": "hivesync-cli", "grant_type": "authorization_code", "code": "x"}, "invalid_request"),
]
UNREADABLE_FORMS = [
    b"\xff\xfe",
    b"client_id=%ff",
    b"client_id=a&client_id=b",
    b"&".join(b"f%d=x" % n for n in range(50)),
    b"%",
    b"x" * 50_000,
]


async def test_a_wrong_token_request_is_answered_as_the_rfc_says(server: RunningServer) -> None:
    for form, error in WRONG_TOKEN_REQUESTS:
        assert error_of(await server.anyone.post("/oauth/token", data=form)) == error, form


async def test_a_form_that_cannot_be_read_is_invalid_request(server: RunningServer) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/device_authorization"):
        for body in UNREADABLE_FORMS:
            answer = await server.anyone.post(path, content=body, headers=headers)
            assert error_of(answer) == "invalid_request", (path, body[:20])


async def test_a_token_request_in_json_is_415(server: RunningServer) -> None:
    problem(await server.anyone.post("/oauth/token", json=REQUEST), 415, "request.media_type")


async def test_an_admin_registers_a_program_of_their_own(server: RunningServer) -> None:
    ada = await server.person("Ada", is_admin=True)
    uri = "https://tool.example.org/callback"
    body = {"client_id": "tool", "name": "A <b>tool</b>", "redirect_uris": [uri], "scopes": ["read"]}
    assert (await ada.post("/oauth-clients", body)).status_code == 201
    problem(await ada.post("/oauth-clients", body), 409, "oauth_client.exists")
    evil = {**body, "client_id": "evil", "redirect_uris": ["javascript:alert(1)"]}
    problem(await ada.post("/oauth-clients", evil), 422, "oauth_client.redirect_uri_refused")
    location, _ = await code_from(server, ada, client_id="tool", redirect_uri=uri, scope="read")
    assert location.startswith(uri)
    assert (await ada.send("DELETE", "/oauth-clients/tool")).status_code == 204
    problem(await ada.send("DELETE", "/oauth-clients/hivesync-cli"), 404, "oauth_client.unknown")
    assert len((await ada.get("/oauth-clients")).json()["clients"]) == 5
