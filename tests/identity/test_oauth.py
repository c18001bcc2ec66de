"""The authorization code grant: a code that is good once for who can prove the challenge."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from adapters.identity.authorization import (
    Authorization,
    AuthorizationRefused,
    UntrustedRedirect,
    s256_challenge,
)
from adapters.identity.directory import OPERATOR
from adapters.identity.errors import OAuthError
from adapters.identity.oauth_clients import (
    Client,
    ClientExists,
    NoSuchClient,
    RedirectUriRefused,
    refuse_redirect_uri,
)
from adapters.identity.secrets import CODE, new_token
from hivesync_core.accounts.commands import DisableAccount
from tests.identity.granting import LOOPBACK, REQUEST, VERIFIER, Clock, answer_of, code_for
from tests.identity.node import IP, PATIENCE_S, Node, context


def test_the_challenge_is_that_of_the_rfc() -> None:
    """RFC 7636, appendix B."""
    assert (
        s256_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


async def test_a_code_gives_a_session_to_who_can_prove_the_challenge(node: Node) -> None:
    code = await code_for(node)
    pair = await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)
    caller = await node.identity.verifier.authenticate(pair.access_token)
    assert caller.scopes == {"read", "write"}
    await node.identity.sign_in.refresh(pair.refresh_token, IP, client_id="hivesync-cli")


@pytest.mark.parametrize(
    ("client_id", "redirect_uri", "verifier"),
    [
        ("hivesync-cli", LOOPBACK, VERIFIER[::-1]),
        ("hivesync-cli", LOOPBACK + "/", VERIFIER),
        ("hivesync-cli", "http://127.0.0.1:49153/callback", VERIFIER),
    ],
)
async def test_a_wrong_proof_uses_the_code_up(node: Node, client_id: str, redirect_uri: str, verifier: str) -> None:
    code = await code_for(node)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await node.identity.authorization.exchange(code, client_id, redirect_uri, verifier)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)


async def test_another_client_cannot_use_the_code_nor_use_it_up(node: Node) -> None:
    code = await code_for(node)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await node.identity.authorization.exchange(code, "hivesync-vscode", LOOPBACK, VERIFIER)
    await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)


async def test_a_code_that_comes_back_ends_the_session_it_gave(node: Node) -> None:
    code = await code_for(node)
    pair = await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)
    assert await node.knows(pair.access_token)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)
    assert not await node.knows(pair.access_token)


async def test_of_two_exchanges_at_once_no_session_is_left(node: Node, other_node: Node) -> None:
    code = await code_for(node)
    answers = await asyncio.gather(
        *(
            each.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)
            for each in (node, other_node)
        ),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["OAuthError", "TokenPair"]
    assert await node.database.fetch_all("SELECT 1 FROM identity.sessions") == []


async def test_a_code_is_good_for_a_minute(node: Node) -> None:
    clock = Clock()
    identity = node.identity
    later = Authorization(
        node.database, identity.clients, identity.sessions, identity.verifier, node.settings, clock=clock
    )
    code = await code_for(node)
    clock.ahead = timedelta(seconds=61)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await later.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)


NO_VERIFIERS = ["", "short", "x" * 129, "ä" * 50, VERIFIER + "\n"]


async def test_a_verifier_has_its_form(node: Node) -> None:
    for verifier in NO_VERIFIERS:
        with pytest.raises(OAuthError, match="invalid_request"):
            await node.identity.authorization.exchange(new_token(CODE), "hivesync-cli", LOOPBACK, verifier)


NO_CODES = ["", "nonsense", new_token(CODE), "\0", "x" * 100_000]


async def test_a_code_that_was_never_given_is_not_good(node: Node) -> None:
    for code in NO_CODES:
        with pytest.raises(OAuthError, match="invalid_grant"):
            await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)


async def test_who_was_disabled_after_consenting_gets_no_session(node: Node) -> None:
    made = await node.person("grace@example.org")
    code = await code_for(node, "grace@example.org")
    await node.identity.directory.change_status(made.account_id, DisableAccount(by=OPERATOR), context())
    with pytest.raises(OAuthError, match="invalid_grant"):
        await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)


async def test_an_ordinary_account_gets_no_admin_scope_however_it_asks(node: Node) -> None:
    await node.person("grace@example.org")
    code = await code_for(node, "grace@example.org", scope="read admin")
    pair = await node.identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER)
    assert pair.scopes == ("read",)


@pytest.mark.parametrize(
    ("client_id", "uri"),
    [
        ("hivesync-cli", "http://127.0.0.1:1/callback"),
        ("hivesync-cli", "http://127.0.0.1/callback"),
        ("hivesync-cli", "http://[::1]:65535/callback"),
        ("hivesync-vscode", "vscode://hivesync.hivesync/callback"),
        ("hivesync-desktop", "hivesync://oauth/callback"),
        ("hivesync-mobile", "net.hivesync.mobile:/callback"),
        ("hivesync-web", "http://hivesync.test/admin/callback"),
    ],
)
async def test_an_answer_goes_where_it_was_registered(node: Node, client_id: str, uri: str) -> None:
    request = await node.identity.authorization.check({**REQUEST, "client_id": client_id, "redirect_uri": uri})
    location = await node.identity.authorization.approve(request, (await node.caller()).account_id)
    assert location.startswith(f"{uri}?code=hsc_")
    assert answer_of(location)["state"] == "xyz"
    assert answer_of(location)["iss"] == "http://hivesync.test"


FOREIGN_ADDRESSES = [
    "",
    "https://127.0.0.1:1/callback",
    "http://127.0.0.1:1/callback/",
    "http://127.0.0.1:1/callback?x=1",
    "http://127.0.0.1:1/callback#x",
    "http://127.0.0.1:1/CALLBACK",
    "http://127.0.0.1:0/callback",
    "http://127.0.0.1:99999/callback",
    "http://127.0.0.1:1x/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1@evil.example/callback",
    "http://evil.example@127.0.0.1/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://127.0.0.1:1\\@evil.example/callback",
    "http://localhost:1/callback",
    "http://127.0.0.2:1/callback",
    "http://[::1/callback",
    "HTTP://127.0.0.1:1/callback",
    "http://127.0.0.1:1/callback\n",
    "http://127.0.0.1:\t1/callback",
    "http://127.0.0.1:１/callback",
    "//127.0.0.1/callback",
    "javascript:alert(1)",
]


async def test_an_answer_goes_nowhere_else(node: Node) -> None:
    for uri in FOREIGN_ADDRESSES:
        with pytest.raises(UntrustedRedirect):
            await node.identity.authorization.check({**REQUEST, "redirect_uri": uri})


UNKNOWN_PROGRAMS = ["", "nobody", "hivesync-cli ", "HIVESYNC-CLI", "a\0b", "x" * 10_000]


async def test_an_unknown_program_sends_nobody_anywhere(node: Node) -> None:
    for client_id in UNKNOWN_PROGRAMS:
        with pytest.raises(UntrustedRedirect):
            await node.identity.authorization.check({**REQUEST, "client_id": client_id})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "!" * 43}, "invalid_request"),
        ({"scope": "read everything"}, "invalid_scope"),
    ],
)
async def test_a_wrong_request_is_told_to_the_program(node: Node, changes: dict[str, str], error: str) -> None:
    with pytest.raises(AuthorizationRefused) as refused:
        await node.identity.authorization.check({**REQUEST, **changes})
    answer = answer_of(refused.value.location)
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "xyz", "http://hivesync.test")
    assert refused.value.location.startswith(LOOPBACK + "?")


async def test_a_program_may_ask_for_no_scope_beyond_its_own(node: Node) -> None:
    with pytest.raises(AuthorizationRefused) as refused:
        await node.identity.authorization.check(
            {**REQUEST, "client_id": "hivesync-mobile", "redirect_uri": "hivesync://oauth/callback", "scope": "admin"}
        )
    assert answer_of(refused.value.location)["error"] == "invalid_scope"


async def test_a_refusal_by_the_person_is_told_to_the_program(node: Node) -> None:
    request = await node.identity.authorization.check(REQUEST)
    assert answer_of(node.identity.authorization.deny(request))["error"] == "access_denied"


async def test_an_admin_adds_a_client_and_removing_it_ends_its_sessions(node: Node) -> None:
    uri = "https://tool.example.org/callback?from=hivesync"
    await node.identity.clients.add(Client("tool", "A tool", (uri,), ("read",), False))
    with pytest.raises(ClientExists):
        await node.identity.clients.add(Client("tool", "A tool", (uri,), ("read",), False))
    changes = {"client_id": "tool", "redirect_uri": uri, "scope": "read"}
    code = await code_for(node, **changes)
    pair = await node.identity.authorization.exchange(code, "tool", uri, VERIFIER)

    await node.identity.clients.remove("tool")

    async with asyncio.timeout(PATIENCE_S):
        while await node.knows(pair.access_token):
            await asyncio.sleep(0.005)
    with pytest.raises(UntrustedRedirect):
        await node.identity.authorization.check({**REQUEST, **changes})


async def test_the_clients_that_came_with_hivesync_stay(node: Node) -> None:
    with pytest.raises(NoSuchClient):
        await node.identity.clients.remove("hivesync-cli")
    assert {client.client_id for client in await node.identity.clients.all()} == {
        f"hivesync-{name}" for name in ("web", "cli", "vscode", "desktop", "mobile")
    }


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org/callback",
        "https:///callback",
        "https://example.org/#x",
        "https://example.org/*",
        "https://user@example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/",
        "callback",
        "https://exa mple.org/",
        "https://[::1",
        "https://exämple.org/",
    ],
)
def test_a_client_is_not_registered_with_an_address_that_gives_codes_away(uri: str) -> None:
    with pytest.raises(RedirectUriRefused):
        refuse_redirect_uri(uri)
