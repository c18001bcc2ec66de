"""Every route against everybody who may knock: the table below says who gets in, and no route is without a row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from adapters.ids import uuid7
from hivesync_core.accounts.scopes import SCOPES
from tests.http.harness import Person, RunningServer, build_for_tests, running

NOBODY_REFUSED: frozenset[str] = frozenset()
AUDITOR = frozenset({"auditor"})
NOT_OWNER = frozenset({"auditor", "member"})
NOT_MEMBER = frozenset({"auditor", "owner"})


class Row(NamedTuple):
    """Who gets through a route.

    ``access`` is ``anyone``, ``authenticated`` or the scope that a token needs (``admin`` wants an admin too).
    ``refused`` are the roles in the project that the rules turn away (403); whoever is no member finds nothing (404).
    ``state`` is what is done with the task before; ``body`` and ``query`` make a request that is well formed.
    """

    access: str
    refused: frozenset[str] = NOBODY_REFUSED
    body: Any = None
    query: str = ""
    state: str = "open"


MATRIX: dict[str, Row] = {
    "GET /health": Row("anyone"),
    "GET /ready": Row("anyone"),
    "GET /metrics": Row("anyone"),
    "GET /problems/{code}": Row("anyone"),
    "GET /config/connection_registry.json": Row("anyone"),
    "GET /.well-known/oauth-authorization-server": Row("anyone"),
    "GET /api/v1/openapi.json": Row("anyone"),
    "GET /api/v1/docs": Row("anyone"),
    "GET /api/v1/docs/start.js": Row("anyone"),
    "GET /api/v1/docs/swagger-ui.css": Row("anyone"),
    "GET /api/v1/docs/swagger-ui-bundle.js": Row("anyone"),
    "GET /api/v1/asyncapi.json": Row("anyone"),
    "GET /api/v1/docs/socket": Row("anyone"),
    "GET /": Row("anyone"),
    "GET /callback": Row("anyone"),
    "GET /account": Row("anyone"),
    "GET /live": Row("anyone"),
    "GET /projects": Row("anyone"),
    "GET /projects/{path}": Row("anyone"),
    "GET /assets/{version}/{path}": Row("anyone"),
    "POST /api/v1/web/session": Row("anyone"),
    "POST /api/v1/web/session/renew": Row("anyone"),
    "POST /api/v1/web/session/end": Row("anyone"),
    "POST /oauth/token": Row("anyone"),
    "POST /oauth/revoke": Row("anyone"),
    "POST /oauth/device_authorization": Row("anyone"),
    "GET /oauth/authorize": Row("anyone"),
    "POST /oauth/authorize": Row("anyone"),
    "POST /oauth/sign-in": Row("anyone"),
    "POST /oauth/sign-out": Row("anyone"),
    "GET /device": Row("anyone"),
    "POST /device": Row("anyone"),
    "POST /device/decision": Row("anyone"),
    "GET /setup": Row("anyone"),
    "POST /setup": Row("anyone"),
    "GET /invitation": Row("anyone"),
    "POST /invitation": Row("anyone"),
    "POST /api/v1/auth/sign-in": Row("anyone"),
    "POST /api/v1/auth/refresh": Row("anyone"),
    "POST /api/v1/auth/sign-out": Row("authenticated"),
    "POST /api/v1/socket-tickets": Row("authenticated"),
    "GET /api/v1/me": Row("read"),
    "PATCH /api/v1/me": Row("write", body={"name": "Somebody"}),
    "POST /api/v1/me/password": Row("write", body={"password": "x", "new_password": "y"}),
    "GET /api/v1/me/sessions": Row("read"),
    "DELETE /api/v1/me/sessions/{sign_in_id}": Row("write"),
    "POST /api/v1/me/sessions/end-others": Row("write"),
    "GET /api/v1/people": Row("read"),
    "GET /api/v1/accounts": Row("admin"),
    "POST /api/v1/accounts": Row("admin", body={}),
    "GET /api/v1/accounts/{account_id}": Row("admin"),
    "PATCH /api/v1/accounts/{account_id}": Row("admin", body={}),
    "DELETE /api/v1/accounts/{account_id}": Row("admin"),
    "POST /api/v1/accounts/{account_id}/disable": Row("admin"),
    "POST /api/v1/accounts/{account_id}/enable": Row("admin"),
    "POST /api/v1/accounts/{account_id}/password": Row("admin", body={}),
    "POST /api/v1/invitations": Row("write", body={}),
    "GET /api/v1/invitations": Row("read"),
    "DELETE /api/v1/invitations/{invitation_id}": Row("write"),
    "POST /api/v1/invitations/accept": Row("anyone"),
    "POST /api/v1/tokens": Row("write", body={}),
    "GET /api/v1/tokens": Row("read"),
    "DELETE /api/v1/tokens/{token_id}": Row("write"),
    "POST /api/v1/oauth-clients": Row("admin", body={}),
    "GET /api/v1/oauth-clients": Row("admin"),
    "DELETE /api/v1/oauth-clients/{client_id}": Row("admin"),
    "GET /api/v1/checkpoint": Row("anyone"),
    "GET /api/v1/checkpoint/key": Row("anyone"),
    "GET /api/v1/checkpoint/inclusion": Row("read"),
    "GET /api/v1/checkpoint/consistency": Row("anyone"),
    "GET /api/v1/projects": Row("read"),
    "POST /api/v1/projects": Row("write", body={"name": "Another"}),
    "GET /api/v1/projects/{project_id}": Row("read"),
    "PATCH /api/v1/projects/{project_id}": Row("write", NOT_OWNER, {"name": "Renamed"}),
    "PUT /api/v1/projects/{project_id}/members/{account_id}": Row("write", NOT_OWNER, {"role": "member"}),
    "DELETE /api/v1/projects/{project_id}/members/{account_id}": Row("write", NOT_OWNER),
    "PUT /api/v1/projects/{project_id}/policy": Row(
        "write", NOT_OWNER, {"approvers": "members", "may_approve_own_work": False}
    ),
    "GET /api/v1/projects/{project_id}/tasks": Row("read"),
    "POST /api/v1/projects/{project_id}/tasks": Row("write", AUDITOR, {"title": "Do it"}),
    "GET /api/v1/projects/{project_id}/help-queue": Row("read"),
    "GET /api/v1/projects/{project_id}/changes": Row("read", query="?from=1"),
    "GET /api/v1/tasks/{task_id}": Row("read"),
    "GET /api/v1/tasks/{task_id}/comments": Row("read"),
    "GET /api/v1/tasks/{task_id}/history": Row("read"),
    "PATCH /api/v1/tasks/{task_id}": Row("write", AUDITOR, {"title": "Do it well"}),
    "POST /api/v1/tasks/{task_id}/comments": Row("write", AUDITOR, {"text": "Hello"}),
    "POST /api/v1/tasks/{task_id}/complete": Row("write", AUDITOR),
    "POST /api/v1/tasks/{task_id}/request-help": Row("write", AUDITOR, {"reason": "Stuck"}),
    "POST /api/v1/tasks/{task_id}/claim-help": Row("write", AUDITOR, state="help_requested"),
    "POST /api/v1/tasks/{task_id}/withdraw-help": Row("write", NOT_OWNER, state="help_requested"),
    "POST /api/v1/tasks/{task_id}/check-in": Row("write", NOT_MEMBER, state="helping"),
    "POST /api/v1/tasks/{task_id}/release-help": Row("write", AUDITOR, state="helping"),
    "POST /api/v1/tasks/{task_id}/approve": Row("write", NOT_OWNER, state="completed"),
    "POST /api/v1/tasks/{task_id}/deny": Row("write", NOT_OWNER, {"reason": "No tests"}, state="completed"),
    "POST /api/v1/tasks/{task_id}/reassign": Row("write", NOT_OWNER, {"assignee_id": None}, state="completed"),
    "POST /api/v1/tasks/{task_id}/archive": Row("write", AUDITOR),
    "POST /api/v1/tasks/{task_id}/restore": Row("write", AUDITOR, state="archived"),
    "POST /api/v1/projects/{project_id}/imports": Row("write", AUDITOR, []),
    "GET /api/v1/projects/{project_id}/reviews": Row("read"),
    "POST /api/v1/projects/{project_id}/reviews": Row("write", AUDITOR, {"path": "a.py", "source": "x = 1\n"}),
    "GET /api/v1/reviews/{review_id}": Row("read"),
    "POST /api/v1/reviews/{review_id}/approve": Row("write", body={}),
    "POST /api/v1/reviews/{review_id}/discard": Row("write", body={}),
    "POST /api/v1/reviews/{review_id}/comments/{index}/edit": Row("write", body={"content": "Why it is so."}),
    "POST /api/v1/reviews/{review_id}/retract": Row("write", body={"reason": "Wrong"}),
    "POST /api/v1/reviews/{review_id}/cancel": Row("write"),
    "POST /api/v1/reviews/{review_id}/close": Row("write"),
    "POST /api/v1/reviews/{review_id}/apply": Row("write", body={}),
    "GET /api/v1/reviews/{review_id}/diff": Row("read"),
    "GET /api/v1/reviews/{review_id}/certificate": Row("read"),
    "GET /api/v1/admin/prompts": Row("admin"),
    "POST /api/v1/admin/prompts": Row("admin", body={"template": "Describe {{path}}."}),
    "GET /api/v1/admin/prompts/{version}": Row("admin"),
    "PUT /api/v1/admin/prompts/labels/{label}": Row("admin", body={"version": 1}),
    "GET /api/v1/admin/prompts/{version}/comments": Row("admin"),
    "POST /api/v1/admin/prompts/{version}/recall": Row("admin", body={"reason": "Wrong"}),
    "POST /api/v1/admin/prompts/{version}/score": Row("admin", body={}),
    "GET /api/v1/admin/prompt-scores": Row("admin"),
    "POST /admin/playground/test": Row("admin", body={"path": "a.xyz", "source": "x = 1\n"}),
    "GET /admin/settings": Row("admin"),
    "PATCH /admin/settings": Row("admin", body={}),
    "GET /api/v1/admin/retention": Row("admin"),
    "POST /api/v1/admin/retention/run": Row("admin"),
    "GET /api/v1/history": Row("read"),
    "GET /api/v1/exports": Row("read"),
    "POST /api/v1/exports": Row("read", body={"format": "csv"}),
    "GET /api/v1/exports/{export_id}": Row("read"),
    "DELETE /api/v1/exports/{export_id}": Row("read"),
    "GET /api/v1/exports/{export_id}/file": Row("read"),
    "GET /api/v1/exports/{export_id}/manifest": Row("read"),
    "GET /api/v1/exports/{export_id}/proof": Row("read"),
    "POST /api/v1/exports/{export_id}/cancel": Row("read"),
    "POST /api/v1/projects/{project_id}/live-sessions": Row("live", AUDITOR, {"title": "Pairing"}),
    "GET /api/v1/projects/{project_id}/live-sessions": Row("read"),
    "GET /api/v1/live-sessions/{session_id}": Row("read"),
    "POST /api/v1/live-sessions/{session_id}/end": Row("live", NOT_OWNER),
    "POST /api/v1/live-sessions/{session_id}/invites": Row("live", NOT_OWNER),
    "GET /api/v1/live-sessions/{session_id}/invites": Row("live", NOT_OWNER),
    "DELETE /api/v1/live-sessions/{session_id}/invites/{invite_id}": Row("live", NOT_OWNER),
    "POST /api/v1/live-sessions/{session_id}/viewers": Row("read"),
    "POST /api/v1/live-sessions/{session_id}/viewers/{viewer_id}/remove": Row("live", NOT_OWNER, {}),
    "GET /api/v1/live-sessions/{session_id}/exposure": Row("read", frozenset({"member"})),
    "POST /api/v1/live/join": Row("read", body={"invite": "none"}),
    "POST /api/v1/live/join-as-guest": Row("anyone"),
    "GET /api/v1/admin/projections": Row("admin"),
    "GET /api/v1/admin/parked": Row("admin"),
    "POST /api/v1/admin/projections/{projection}/parked/{stream_id}/retry": Row("admin"),
    "POST /api/v1/admin/projections/{projection}/parked/{stream_id}/skip": Row("admin", body={"reason": "Broken"}),
    "POST /api/v1/admin/replays": Row("admin", body={"mode": "audit"}),
    "GET /api/v1/admin/replays": Row("admin"),
    "GET /api/v1/admin/replays/{replay_id}": Row("admin"),
    "POST /api/v1/admin/replays/{replay_id}/cancel": Row("admin"),
}

BY_TOKEN = sorted(name for name, row in MATRIX.items() if row.access != "anyone")
_LIVE = "{session_id}"
_OF_A_PROJECT = ("{project_id}", "{task_id}", _LIVE)
IN_A_PROJECT = sorted(name for name in MATRIX if any(part in name for part in _OF_A_PROJECT))
PROJECT_ROLES = ("owner", "member", "auditor")


class Team(NamedTuple):
    """A project with one of each role, somebody to be let in or thrown out, and a stranger with a project of their own."""

    server: RunningServer
    people: dict[str, Person]

    async def request(self, route: str, person: Person | None, ids: dict[str, str]) -> httpx.Response:
        """Knock at a route, well formed but for what it leaves to the rules."""
        method, _, template = route.partition(" ")
        row = MATRIX[route]
        replay = {"projection": "board", "stream_id": str(uuid7()), "replay_id": str(uuid7())}
        fresh = {"code": "not_found", "client_id": "nobody", "invitation_id": str(uuid7()), "token_id": str(uuid7())}
        fresh |= {
            "path": "1",
            "version": "0",
            "review_id": str(uuid7()),
            "sign_in_id": str(uuid7()),
            "index": "0",
            "label": "draft",
        }
        fresh |= {
            "path": "1",
            "version": "0",
            "session_id": str(uuid7()),
            "invite_id": str(uuid7()),
            "viewer_id": str(uuid7()),
        }
        path = (
            template.format_map({"account_id": str(uuid7()), "export_id": str(uuid7()), **replay, **fresh, **ids})
            + row.query
        )
        client = self.server.anyone if person is None else person.client
        # The version that stands is not what is tested here: `*` stands for any.
        headers = {"if-match": "*"} if method in ("PATCH", "PUT") else {}
        return await client.request(method, path, json=row.body, headers=headers)

    async def ids(self, state: str, *, live: bool = False) -> dict[str, str]:
        """A project of the team with a task in this state, and with a live session where one is wanted."""
        owner, member = self.people["owner"], self.people["member"]
        project_id = await owner.project()
        for role in ("member", "auditor"):
            await owner.let_in(project_id, self.people[role], role)
        await owner.let_in(project_id, self.people["spare"], "auditor")
        task_id = await owner.task(project_id)
        steps: dict[str, list[tuple[Person, str, Any]]] = {
            "open": [],
            "completed": [(owner, "complete", None)],
            "archived": [(owner, "archive", None)],
            "help_requested": [(owner, "request-help", {"reason": "Stuck"})],
            "helping": [(owner, "request-help", {"reason": "Stuck"}), (member, "claim-help", None)],
        }
        for person, step, body in steps[state]:
            answer = await person.post(f"/tasks/{task_id}/{step}", body)
            assert answer.status_code == 200, answer.text
        return {
            "project_id": str(project_id),
            "task_id": str(task_id),
            "account_id": str(self.people["spare"].account_id),
            **(await _live_session(owner, project_id) if live else {}),
        }

    async def limited(self, scopes: set[str]) -> Person:
        """The owner with a token of these scopes alone."""
        owner = self.people["owner"]
        return Person(owner.account_id, self.server.client(await self.server.token(owner.account_id, scopes)))


async def _live_session(host: Person, project_id: UUID) -> dict[str, str]:
    """A live session with an invite and a viewer."""
    session_id = (await host.post(f"/projects/{project_id}/live-sessions", {})).json()["id"]
    invite = await host.post(f"/live-sessions/{session_id}/invites")
    viewer = await host.post(f"/live-sessions/{session_id}/viewers")
    ids = {"invite_id": invite.json()["invite_id"], "viewer_id": viewer.json()["viewer_id"]}
    return {"session_id": session_id, **ids}


@pytest.fixture
async def team(postgres_url: str) -> AsyncIterator[Team]:
    """The server and the people."""
    async with running(postgres_url) as server:
        names = ("owner", "member", "auditor", "spare", "stranger")
        people = {name: await server.person(name) for name in names}
        people["admin"] = await server.person("admin", is_admin=True)
        yield Team(server, people)


def routes() -> set[str]:
    """Every route of the application, from the application itself."""
    app = build_for_tests("postgresql://nowhere").app
    found = set()
    for route in app.routes:
        template = "/".join(
            f"{{{part[1:-1].split(':')[0]}}}" if part.startswith("{") else part for part in route.path.split("/")
        )
        for handler in getattr(route, "route_handlers", ()):
            found |= {f"{method} {template}" for method in handler.http_methods if method != "OPTIONS"}
    return found


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert routes() == set(MATRIX)


async def test_what_is_open_asks_nobody_for_a_token(team: Team) -> None:
    for route, row in MATRIX.items():
        if row.access == "anyone":
            answer = await team.request(route, None, {})
            assert answer.status_code != 401, route
            assert answer.status_code < 500, (route, answer.text)


async def test_what_is_not_open_turns_away_whoever_has_no_token_or_a_revoked_one(team: Team) -> None:
    revoked = team.server.client(await team.server.token(team.people["owner"].account_id))
    assert (await revoked.post("/api/v1/auth/sign-out")).status_code == 204
    forged = team.server.client("hsa_" + "A" * 43)
    unsigned = team.server.client("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")
    ids = await team.ids("open")
    for route in BY_TOKEN:
        for client in (None, revoked, forged, unsigned):
            person = None if client is None else Person(uuid7(), client)
            answer = await team.request(route, person, ids)
            assert answer.status_code == 401, (route, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_without_the_scope_does_not_get_in_and_one_with_it_alone_does(team: Team) -> None:
    ids = await team.ids("open")
    scopes = sorted(SCOPES)
    without = {scope: await team.limited(set(scopes) - {scope}) for scope in scopes}
    for route in BY_TOKEN:
        access = MATRIX[route].access
        if access == "authenticated":
            continue
        answer = await team.request(route, without[access], ids)
        assert answer.status_code == 403, (route, answer.text)
        assert answer.json()["type"] == "/problems/auth.scope_missing", route
    for route in BY_TOKEN:
        access = MATRIX[route].access
        if access in ("read", "write"):
            alone = await team.limited({access})
            answer = await team.request(route, alone, ids)
            assert answer.status_code not in (401, 429), (route, answer.text)
            if answer.status_code == 403:
                assert answer.json()["type"] != "/problems/auth.scope_missing", route


async def test_the_admin_scope_without_an_admin_behind_it_is_worth_nothing(team: Team) -> None:
    for route in BY_TOKEN:
        if MATRIX[route].access == "admin":
            refused = await team.request(route, team.people["owner"], {})
            assert refused.status_code == 403, (route, refused.text)
            through = await team.request(route, team.people["admin"], {})
            assert through.status_code not in (401, 403), (route, through.text)


async def test_each_role_does_what_the_table_says_and_strangers_find_nothing(team: Team) -> None:
    for route in IN_A_PROJECT:
        row = MATRIX[route]
        for role in PROJECT_ROLES:
            answer = await team.request(route, team.people[role], await team.ids(row.state, live=_LIVE in route))
            if role in row.refused:
                assert answer.status_code == 403, (route, role, answer.text)
            else:
                assert answer.status_code not in (401, 403, 404), (route, role, answer.text)
                assert answer.status_code < 500, (route, role, answer.text)
        ids = await team.ids(row.state, live=_LIVE in route)
        stored = await team.server.events()
        answer = await team.request(route, team.people["stranger"], ids)
        assert answer.status_code == 404, (route, answer.text)
        assert await team.server.events() == stored, route


async def test_the_id_of_another_kind_of_thing_is_the_id_of_nothing(team: Team) -> None:
    ids = await team.ids("open")
    swapped = {**ids, "project_id": ids["task_id"], "task_id": ids["project_id"], "session_id": ids["task_id"]}
    for route in IN_A_PROJECT:
        answer = await team.request(route, team.people["owner"], swapped)
        assert answer.status_code == 404, (route, answer.text)
