"""Who is let in, and who is shown out: every way in which a socket is refused or ends by its token."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from websockets.exceptions import InvalidStatus

from adapters.gateway import protocol, session
from adapters.gateway.origins import AllowedOrigins
from adapters.identity.directory import OPERATOR
from adapters.identity.secrets import ACCESS, PERSONAL, REFRESH, TICKET, new_token
from adapters.identity.sessions import TokenPair
from adapters.ids import now
from hivesync_core.accounts.commands import ChangeRole, DisableAccount, EraseAccount
from shared.socket.close_codes import CloseCode
from shared.socket.limits import MESSAGES_BURST_MAX
from tests.gateway.client import Client, client
from tests.gateway.server import PUBLIC_URL, Server
from tests.identity.node import IP, context


async def _personal_token(server: Server, pair: TokenPair, *scopes: str, lives: timedelta | None = None) -> str:
    caller = await server.identity.verifier.authenticate(pair.access_token)
    expires_at = None if lives is None else now() + lives
    _, secret = await server.identity.personal_tokens.create(caller, "ci", frozenset(scopes), expires_at, context())
    return secret


# --- coming in ---------------------------------------------------------------------------------------------------------


async def test_the_first_message_authenticates(server: Server) -> None:
    ada = await server.sign_in()
    async with client(server) as one:
        accepted = await one.authenticate(ada.access_token)
    assert accepted["payload"]["account_id"] == str(ada.account_id)
    assert accepted["payload"]["scopes"] == list(ada.scopes)
    assert accepted["payload"]["valid_until"].endswith("Z")
    assert accepted["position"] == server.gateway.hub.position


async def test_a_ticket_opens_one_socket(server: Server) -> None:
    ada = await server.sign_in()
    ticket, _ = await server.identity.sessions.new_ticket(ada.account_id, ada.access_token)
    async with client(server) as one, client(server) as other:
        await one.send("auth", ticket=ticket)
        assert (await one.receive())["payload"]["account_id"] == str(ada.account_id)
        await other.send("auth", ticket=ticket)
        assert await other.close_code() == CloseCode.NOT_AUTHENTICATED


@pytest.mark.parametrize("prefix", [ACCESS, PERSONAL, REFRESH, TICKET])
async def test_a_token_that_was_never_given_opens_nothing(server: Server, prefix: str) -> None:
    async with client(server) as one:
        await one.send("auth", token=new_token(prefix))  # type: ignore[arg-type]
        assert await one.close_code() == CloseCode.NOT_AUTHENTICATED


async def test_a_refresh_token_is_no_way_in(server: Server) -> None:
    ada = await server.sign_in()
    async with client(server) as one:
        await one.send("auth", token=ada.refresh_token)
        assert await one.close_code() == CloseCode.NOT_AUTHENTICATED


@pytest.mark.parametrize("first", ["subscribe", "ping", "no.such.thing"])
async def test_nothing_else_may_come_first(server: Server, first: str) -> None:
    async with client(server) as one:
        await one.send(first, **({"projects": "all"} if first == "subscribe" else {}))
        assert await one.close_code() == CloseCode.NOT_AUTHENTICATED


@pytest.mark.parametrize("both", [True, False])
async def test_it_takes_a_token_or_a_ticket_and_not_both(server: Server, both: bool) -> None:
    ada = await server.sign_in()
    async with client(server) as one:
        await one.send("auth", **({"token": ada.access_token, "ticket": new_token(TICKET)} if both else {}))
        assert await one.close_code() == CloseCode.MALFORMED


async def test_who_says_nothing_is_shown_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "AUTH_WAIT_S", 0.1)
    async with client(server) as one:
        assert await one.close_code() == CloseCode.AUTH_TIMEOUT


async def test_a_token_without_the_scope_read_hears_nothing(server: Server) -> None:
    token = await _personal_token(server, await server.sign_in(), "write", "live")
    async with client(server) as one:
        await one.send("auth", token=token)
        assert await one.close_code() == CloseCode.SCOPE_MISSING


@pytest.mark.parametrize(
    "query", ["token={}", "access_token={}", "a=1&ticket={}", "x={}", "Authorization=Bearer+{}", "token=short"]
)
async def test_a_token_in_the_address_is_refused_though_it_is_good(server: Server, query: str) -> None:
    ada = await server.sign_in()
    async with server.connect(f"{server.url}?{query.format(ada.access_token)}") as connection:
        assert await Client(connection).close_code() == CloseCode.TOKEN_IN_URL


async def test_a_token_in_the_address_reaches_no_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="uvicorn.error")  # It has a level of its own wherever HiveSync configured the log.
    token = new_token(ACCESS)
    async with server.connect(f"{server.url}?token={token}") as connection:
        await Client(connection).close_code()
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.client")]
    assert any("/ws" in line for line in said), "the opened socket is in the log"
    assert not any(token in line for line in said)


async def test_a_harmless_query_does_no_harm(server: Server) -> None:
    ada = await server.sign_in()
    async with server.connect(f"{server.url}?v=1&tab=board") as connection:
        await Client(connection).authenticate(ada.access_token)


# --- which pages may open one ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://hivesync.test", "https://hivesync.test.evil.example"]
)
async def test_a_foreign_page_is_refused_before_the_socket_opens(server: Server, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with server.connect(origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_the_servers_own_pages_may_open_one(server: Server) -> None:
    ada = await server.sign_in()
    for origin in (PUBLIC_URL, server.url.replace("ws:", "http:").removesuffix("/ws")):
        async with server.connect(origin=origin) as connection:
            await Client(connection).authenticate(ada.access_token)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://tools.example.org", "hive.example.org", True),
        ("https://tools.example.org:443", "hive.example.org", True),
        ("https://tools.example.org:444", "hive.example.org", False),
        ("http://127.0.0.1:4000", "127.0.0.1:4000", True),
        ("http://[::1]:4000", "[::1]:4000", True),
        ("http://localhost:4000", "localhost:4000", True),
        ("http://localhost:3000", "localhost:4000", False),
        ("http://rebound.example:4000", "rebound.example:4000", False),
        ("https://127.0.0.1:4000", "127.0.0.1:4000", False),
        ("https://hive.example.org/path", "hive.example.org", False),
        ("https://user@hive.example.org", "hive.example.org", False),
        ("https://hive.example.org:port", "hive.example.org", False),
        ("file://", "hive.example.org", False),
    ],
)
def test_a_page_is_known_by_its_whole_origin(origin: str, host: str, allowed: bool) -> None:
    origins = AllowedOrigins("https://hive.example.org", ["https://tools.example.org"])
    assert origins.allow([(b"host", host.encode()), (b"origin", origin.encode())]) is allowed


def test_two_origins_are_none_and_no_origin_is_no_browser() -> None:
    origins = AllowedOrigins("https://hive.example.org")
    header = (b"origin", b"https://hive.example.org")
    assert not origins.allow([header, header])
    assert origins.allow([(b"host", b"hive.example.org")])


# --- staying and leaving -----------------------------------------------------------------------------------------------


async def test_a_renewed_token_keeps_the_socket_open(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    async with client(server, ada.access_token) as one:
        renewed = await server.identity.sign_in.refresh(ada.refresh_token, IP)
        await one.send("auth", token=renewed.access_token)
        accepted = await one.receive()
        assert accepted["event_type"] == "auth.accepted"
        created = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == created.position


async def test_a_renewal_is_for_the_same_account(server: Server) -> None:
    ada, grace = await server.sign_in(), await server.member("grace@example.org")
    async with client(server, ada.access_token) as one:
        await one.send("auth", token=grace.access_token)
        assert await one.close_code() == CloseCode.NOT_AUTHENTICATED


async def _lasts(server: Server, pair: TokenPair, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """For sockets this token is good for so long after it has opened them, however long it took to get there."""
    valid_until = (await server.identity.verifier.authenticate(pair.access_token)).valid_until
    assert valid_until is not None
    clock = SimpleNamespace(time=lambda: valid_until - seconds, monotonic=time.monotonic)
    monkeypatch.setattr(session, "time", clock)


async def test_a_socket_ends_with_its_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await server.sign_in()
    await _lasts(server, ada, 0.3, monkeypatch)
    async with client(server, ada.access_token) as one:
        assert await one.close_code() == CloseCode.EXPIRED


async def test_a_renewal_moves_the_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await server.sign_in()
    lasting = await _personal_token(server, ada, "read")
    await _lasts(server, ada, 2.0, monkeypatch)
    async with client(server, ada.access_token) as one:
        accepted = await one.authenticate(lasting)
        assert accepted["payload"]["valid_until"] is None
        await asyncio.sleep(2.2)
        await one.send("ping")
        assert (await one.receive())["event_type"] == "pong"


async def test_signing_out_closes_the_sockets_of_the_session_on_every_node(
    server: Server, other_server: Server
) -> None:
    ada, elsewhere = await server.sign_in(), await server.sign_in()
    async with (
        client(server, ada.access_token) as one,
        client(other_server, ada.access_token) as other,
        client(other_server, elsewhere.access_token) as stays,
    ):
        caller = await server.identity.verifier.authenticate(ada.access_token)
        await server.identity.sign_in.sign_out(caller)
        assert await one.close_code() == CloseCode.REVOKED
        assert await other.close_code() == CloseCode.REVOKED
        await stays.send("ping")
        assert (await stays.receive())["event_type"] == "pong"


async def test_a_revoked_personal_token_closes_its_sockets(server: Server, other_server: Server) -> None:
    ada = await server.sign_in()
    caller = await server.identity.verifier.authenticate(ada.access_token)
    token, secret = await server.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), None, context())
    async with client(other_server, secret) as one:
        await server.identity.personal_tokens.revoke(caller, token.token_id, context())
        code, _ = await one.ended()
    assert code == CloseCode.REVOKED


@pytest.mark.parametrize(
    "command", [DisableAccount(by=OPERATOR), EraseAccount(by=OPERATOR), ChangeRole(by=OPERATOR, is_admin=True)]
)
async def test_an_account_that_is_changed_loses_its_sockets_on_every_node(
    server: Server, other_server: Server, command: DisableAccount
) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    grace = await server.member("grace@example.org", garden)
    async with client(server, grace.access_token) as one, client(other_server, grace.access_token) as other:
        outcome = await server.identity.directory.change_status(grace.account_id, command, context())
        created = await server.new_task(garden, ada.account_id)
        for each in (one, other):
            code, messages = await each.ended()
            assert code == CloseCode.REVOKED
            assert all(message["position"] <= outcome.position < created.position for message in messages)


async def test_a_revocation_while_the_question_is_under_way_is_not_missed(server: Server) -> None:
    ada = await server.sign_in()
    caller = await server.identity.verifier.authenticate(ada.access_token)
    authenticate = server.identity.verifier.authenticate

    async def slowly(token: str) -> object:
        found = await authenticate(token)
        await server.identity.sign_in.sign_out(caller)
        return found

    server.identity.verifier.authenticate = slowly  # type: ignore[assignment,method-assign]
    async with client(server) as one:
        await one.send("auth", token=ada.access_token)
        assert await one.close_code() == CloseCode.NOT_AUTHENTICATED


async def test_a_doubt_that_proves_unfounded_costs_no_event(server: Server) -> None:
    ada, elsewhere = await server.sign_in(), await server.sign_in()
    garden = await server.new_project(ada.account_id)
    async with client(server, ada.access_token) as one:
        before = await server.new_task(garden, ada.account_id)
        await one.until(before.position)
        settled = asyncio.Event()
        is_still_good = server.identity.verifier.is_still_good

        async def hesitantly(caller: object) -> bool:
            await settled.wait()
            return await is_still_good(caller)  # type: ignore[arg-type]

        server.identity.verifier.is_still_good = hesitantly  # type: ignore[assignment,method-assign]
        # What concerns the account as a whole may concern each of its sockets.
        await server.database.execute("SELECT pg_notify('identity', %s)", (f"account:{ada.account_id}",))
        await asyncio.sleep(0.1)
        created = [await server.new_task(garden, ada.account_id) for _ in range(3)]
        await one.quiet()
        settled.set()
        assert [m["position"] for m in await one.until(created[-1].position)] == [c.position for c in created]
    assert elsewhere.account_id == ada.account_id


# --- limits ------------------------------------------------------------------------------------------------------------


async def test_more_messages_than_the_limit_end_the_socket(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MESSAGES_PER_S", 0)  # However long it takes to send them, none are added meanwhile.
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        for _ in range(200):
            await one.send("ping")
        code, pongs = await one.ended()
    assert code == CloseCode.TOO_MANY_MESSAGES
    assert len(pongs) == MESSAGES_BURST_MAX - 1, "and one has authenticated"


async def test_more_pings_than_the_limit_end_the_socket(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MESSAGES_PER_S", 0)
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        for _ in range(150):
            await one.connection.ping()
        assert await one.close_code() == CloseCode.TOO_MANY_MESSAGES


async def test_an_account_has_so_many_sockets(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SOCKETS_PER_ACCOUNT_MAX", 2)
    ada = await server.sign_in()
    async with client(server, ada.access_token), client(server, ada.access_token) as second:
        async with client(server) as third:
            await third.send("auth", token=ada.access_token)
            assert await third.close_code() == CloseCode.TOO_MANY_SOCKETS
        await second.send("ping")
        assert (await second.receive())["event_type"] == "pong"


async def test_a_server_that_is_full_says_so(server: Server) -> None:
    server.gateway.admission.sockets_max = 1
    ada = await server.sign_in()
    async with client(server, ada.access_token), client(server) as other:
        assert await other.close_code() == CloseCode.TRY_AGAIN


async def test_a_server_that_stops_says_so(server: Server) -> None:
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        stopping = asyncio.create_task(server.stop_serving())
        assert await one.close_code() == CloseCode.RESTART
        await stopping


async def test_a_connection_on_which_nobody_answers_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PING_INTERVAL_S", 0.1)
    monkeypatch.setattr(protocol, "PING_TIMEOUT_S", 0.2)
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        one.connection.transport.pause_reading()
        for _ in range(1_200):
            if server.gateway.stats.closed["unanswered"]:
                break
            await asyncio.sleep(0.05)
        one.connection.transport.abort()
        assert server.gateway.stats.closed["unanswered"] == 1
        assert len(server.gateway.registry) == 0
