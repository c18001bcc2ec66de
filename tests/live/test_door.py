"""Who gets in by which token, and with which code everybody else is turned away."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from adapters.ids import uuid7
from hivesync_core.accounts.scopes import SCOPES
from shared.socket.close_codes import CloseCode
from tests.http.harness import problem
from tests.live.people import ViewerClient
from tests.live.stage import Stage


@pytest.mark.parametrize(
    ("event_type", "payload", "code"),
    [
        ("auth", {"token": "x"}, CloseCode.NOT_AUTHENTICATED),
        ("live.change", {}, CloseCode.NOT_AUTHENTICATED),
        ("live.host", {}, CloseCode.MALFORMED),
        ("live.host", {"session_id": str(uuid7())}, CloseCode.MALFORMED),
        ("live.host", {"session_id": str(uuid7()), "token": "nonsense"}, CloseCode.NOT_AUTHENTICATED),
        ("live.view", {"viewer_token": "nonsense"}, CloseCode.NO_SESSION),
        ("live.view", {"viewer_token": "x", "more": 1}, CloseCode.MALFORMED),
    ],
)
async def test_a_first_message_that_proves_nothing_closes_the_socket(
    stage: Stage, event_type: str, payload: dict[str, object], code: CloseCode
) -> None:
    socket = await stage.socket()
    await socket.send(event_type, **payload)
    assert await socket.ended() == code


async def test_a_host_needs_the_scope_the_session_and_still_a_role_that_writes(stage: Stage) -> None:
    member = await stage.server.person("member")
    await stage.host.let_in(stage.project_id, member)
    own = stage.session_id
    no_scope = await stage.server.token(stage.host.account_id, set(SCOPES) - {"live"})
    others = await stage.server.token(member.account_id)
    for token, session_id, code in (
        (no_scope, own, CloseCode.SCOPE_MISSING),
        (others, own, CloseCode.NO_SESSION),
        (stage.token, uuid7(), CloseCode.NO_SESSION),
    ):
        socket = await stage.socket()
        await socket.send("live.host", session_id=str(session_id), token=token)
        assert await socket.ended() == code
    session = await member.post(f"/projects/{stage.project_id}/live-sessions", {})
    await stage.host.let_in(stage.project_id, member, "auditor")
    socket = await stage.socket()
    await socket.send("live.host", session_id=session.json()["id"], token=others)
    assert await socket.ended() == CloseCode.NO_SESSION


async def test_a_viewer_with_an_account_shows_its_token_too_and_nobody_elses(stage: Stage) -> None:
    member = await stage.server.person("member")
    await stage.host.let_in(stage.project_id, member)
    joined = (await member.post(f"/live-sessions/{stage.session_id}/viewers")).json()
    for token, code in (
        (None, CloseCode.MALFORMED),
        (stage.token, CloseCode.NOT_AUTHENTICATED),
        (await stage.server.token(member.account_id, {"write"}), CloseCode.SCOPE_MISSING),
    ):
        socket = await stage.socket()
        await socket.send("live.view", viewer_token=joined["viewer_token"], **({"token": token} if token else {}))
        assert await socket.ended() == code
    own = await stage.server.token(member.account_id)
    viewer = ViewerClient(stage.server.url, joined["viewer_token"], own)
    assert (await viewer.attach())["payload"]["viewer_id"] == joined["viewer_id"]
    await viewer.until_snapshot()
    renewed = await stage.server.token(member.account_id)
    await viewer.send("live.renew", token=renewed)
    assert (await viewer.expect("live.renewed"))["payload"]["valid_until"]
    await viewer.send("live.renew", token=stage.token)
    assert await viewer.ended() == CloseCode.NOT_AUTHENTICATED


async def test_a_session_that_is_signed_out_ends_its_sockets(stage: Stage) -> None:
    host = await stage.hosting()
    await stage.server.client(stage.token).post("/api/v1/auth/sign-out")
    assert await host.ended() == CloseCode.REVOKED


async def test_an_invite_lets_in_until_it_is_revoked(stage: Stage) -> None:
    invite = await stage.invite()
    assert invite["link"] == f"hivesync://live/{invite['token']}"
    assert invite["web_link"].endswith(f"/live#{invite['token']}")
    ada = await stage.server.person("ada")
    joined = (await ada.post("/live/join", {"invite": invite["token"]})).json()
    assert joined["project_id"] == str(stage.project_id)
    await stage.guest(invite=invite["token"])
    listed = (await stage.host.get(f"/live-sessions/{stage.session_id}/invites")).json()["items"]
    assert [one["invite_id"] for one in listed] == [invite["invite_id"]]
    revoked = await stage.host.send("DELETE", f"/live-sessions/{stage.session_id}/invites/{invite['invite_id']}")
    assert revoked.status_code == 200
    refused = problem(await ada.post("/live/join", {"invite": invite["token"]}), 404, "live.no_such_invite")
    assert refused["reason"] == "revoked"
    again = await stage.server.anyone.post(
        "/api/v1/live/join-as-guest", json={"invite": invite["token"], "name": "Eve"}
    )
    problem(again, 404, "live.no_such_invite")


async def test_a_removed_viewer_is_out_at_once_and_stays_out(stage: Stage) -> None:
    host = await stage.hosting()
    invite = await stage.invite()
    joined = await stage.guest(invite=invite["token"])
    viewer = await stage.viewing(joined)
    news = (await host.expect("live.viewer"))["payload"]["viewer"]
    assert (news["viewer_id"], news["name"], news["status"]) == (joined["viewer_id"], "Grace", "watching")
    removed = await stage.host.post(f"/live-sessions/{stage.session_id}/viewers/{joined['viewer_id']}/remove", {})
    assert removed.status_code == 200
    assert await viewer.ended() == CloseCode.REMOVED
    while (news := (await host.expect("live.viewer"))["payload"]["viewer"])["status"] != "removed":
        pass
    again = await stage.viewer(joined)
    await again.open()
    await again.send("live.view", viewer_token=joined["viewer_token"])
    assert await again.ended_because() == (CloseCode.REMOVED, "removed")
    back = await stage.server.anyone.post(
        "/api/v1/live/join-as-guest", json={"invite": invite["token"], "name": "Grace"}
    )
    problem(back, 404, "live.no_such_invite")


async def test_who_leaves_the_project_watches_no_more_and_a_host_who_does_hosts_no_more(stage: Stage) -> None:
    member = await stage.server.person("member")
    await stage.host.let_in(stage.project_id, member)
    await stage.hosting()
    joined = (await member.post(f"/live-sessions/{stage.session_id}/viewers")).json()
    viewer = ViewerClient(stage.server.url, joined["viewer_token"], await stage.server.token(member.account_id))
    await viewer.attach()
    await viewer.until_snapshot()
    session = UUID((await member.post(f"/projects/{stage.project_id}/live-sessions", {})).json()["id"])
    hosting = await stage.socket()
    await hosting.send("live.host", session_id=str(session), token=await stage.server.token(member.account_id))
    await hosting.expect("live.hosting")
    await stage.host.send("DELETE", f"/projects/{stage.project_id}/members/{member.account_id}")
    assert await viewer.ended_because() == (CloseCode.REMOVED, "not_member")
    assert (await hosting.expect("live.ended"))["payload"]["reason"] == "host_not_member"
    assert await hosting.ended() == CloseCode.SESSION_ENDED


async def test_the_end_reaches_everybody_and_nobody_comes_back(stage: Stage) -> None:
    host = await stage.hosting()
    invite = await stage.invite()
    joined = await stage.guest(invite=invite["token"])
    viewer = await stage.viewing(joined)
    await host.send("live.end")
    for socket in (host, viewer):
        assert (await socket.expect("live.ended"))["payload"] == {"reason": "host_ended"}
        assert await socket.ended() == CloseCode.SESSION_ENDED
    shown = (await stage.host.get(f"/live-sessions/{stage.session_id}")).json()
    assert (shown["status"], shown["reason"], shown["joined"], shown["viewers"]) == ("ended", "host_ended", 1, [])
    await asyncio.sleep(0.05)
    late = await stage.socket()
    await late.send("live.view", viewer_token=joined["viewer_token"])
    assert (await late.expect("live.ended"))["payload"] == {"reason": "host_ended"}
    assert await late.ended_because() == (CloseCode.SESSION_ENDED, "host_ended")
    hosting = await stage.socket()
    await hosting.send("live.host", session_id=str(stage.session_id), token=stage.token)
    assert (await hosting.expect("live.ended"))["payload"] == {"reason": "host_ended"}
    assert await hosting.ended_because() == (CloseCode.SESSION_ENDED, "host_ended")
    guest = await stage.server.anyone.post(
        "/api/v1/live/join-as-guest", json={"invite": invite["token"], "name": "Eve"}
    )
    assert problem(guest, 409, "live.session_ended")["reason"] == "host_ended"
    problem(await stage.host.post(f"/live-sessions/{stage.session_id}/viewers"), 409, "live.session_ended")
