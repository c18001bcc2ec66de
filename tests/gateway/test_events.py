"""Who hears of what: every event reaches everybody whom it concerns, and nobody else."""

from __future__ import annotations

from uuid import UUID, uuid4

from hivesync_core.kernel.roles import Role
from tests.gateway.client import client
from tests.gateway.server import Server
from tests.identity.node import context


async def test_a_member_hears_of_every_event_of_the_project(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    grace = await server.member("grace@example.org", garden)
    async with client(server, grace.access_token) as one:
        created = await server.new_task(garden, ada.account_id)
        commented = await server.comment(created.stream_id, ada.account_id, "Mind the paint")
        first, second = await one.until(commented.position)
    assert first["event_type"] == "task.created"
    assert first["payload"]["title"] == "Mend the gate"
    assert first["project_id"] == str(garden)
    assert (first["position"], first["version"]) == (created.position, 1)
    assert second["event_type"] == "task.commented"
    assert second["payload"]["text"] == "Mind the paint"
    assert "type" not in second["payload"], "the topic stands in the envelope"
    assert second["stream_id"] == str(created.stream_id)
    assert second["schema_version"] == 1


async def test_an_auditor_hears_of_the_project_too(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    audrey = await server.member("audrey@example.org", garden, Role.AUDITOR)
    async with client(server, audrey.access_token) as one:
        created = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == created.position


async def test_the_sender_hears_the_same_as_everyone(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    grace = await server.member("grace@example.org", garden)
    async with client(server, ada.access_token) as one, client(server, grace.access_token) as other:
        created = await server.new_task(garden, ada.account_id)
        assert await one.until(created.position) == await other.until(created.position)


async def test_a_stranger_hears_nothing_not_even_as_an_admin(server: Server) -> None:
    owner = await server.member("olga@example.org")
    garden = await server.new_project(owner.account_id)
    eve, admin = await server.member("eve@example.org"), await server.sign_in()
    async with client(server, eve.access_token) as one, client(server, admin.access_token) as other:
        created = await server.new_task(garden, owner.account_id)
        await server.comment(created.stream_id, owner.account_id)
        await one.quiet()
        await other.quiet()


async def test_tasks_that_are_older_than_the_server_are_known_to_it(server: Server, other_server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with Server(server.database.url, projects=False) as fresh, client(fresh, ada.access_token) as one:
        commented = await server.comment(created.stream_id, ada.account_id)
        (message,) = await one.until(commented.position)
    assert message["project_id"] == str(garden)


async def test_what_happens_to_an_account_is_heard_by_itself_alone(server: Server) -> None:
    eve = await server.member("eve@example.org")
    grace = await server.member("grace@example.org")
    caller = await server.identity.verifier.authenticate(eve.access_token)
    async with client(server, eve.access_token) as one, client(server, grace.access_token) as other:
        await server.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), None, context())
        message = await one.receive()
        assert message["event_type"] == "account.token_created"
        assert message["project_id"] is None
        await other.quiet()


# --- membership comes and goes -----------------------------------------------------------------------------------------


async def test_a_new_member_hears_from_the_event_that_lets_them_in(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    grace = await server.member("grace@example.org")
    async with client(server, grace.access_token) as one:
        await server.new_task(garden, ada.account_id)
        added = await server.add_member(garden, grace.account_id)
        created = await server.new_task(garden, ada.account_id)
        positions = [message["position"] for message in await one.until(created.position)]
    assert positions == [added.position, created.position]


async def test_the_creator_of_a_project_hears_of_it_from_its_first_event(server: Server) -> None:
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        garden = await server.new_project(ada.account_id)
        message = await one.receive()
    assert (message["event_type"], message["project_id"]) == ("project.created", str(garden))


async def test_a_member_who_is_removed_hears_of_that_and_of_nothing_after(server: Server, other_server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    grace = await server.member("grace@example.org", garden)
    async with client(server, grace.access_token) as one, client(other_server, grace.access_token) as other:
        removed = await server.remove_member(garden, grace.account_id)
        await server.new_task(garden, ada.account_id)
        for each in (one, other):
            assert (await each.receive())["position"] == removed.position
            await each.quiet()


async def test_who_was_removed_is_not_shown_the_past_either(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    grace = await server.member("grace@example.org", garden)
    created = await server.new_task(garden, ada.account_id)
    removed = await server.remove_member(garden, grace.account_id)
    async with client(server) as one:
        accepted = await one.authenticate(grace.access_token, after=created.position - 1)
        assert accepted["payload"]["projects"] == []
        assert [message["position"] for message in await one.until(removed.position)] == [removed.position]


# --- subscriptions -----------------------------------------------------------------------------------------------------


async def test_a_subscription_to_one_project_leaves_the_others_out(server: Server) -> None:
    ada = await server.sign_in()
    garden, kitchen = await server.new_project(ada.account_id), await server.new_project(ada.account_id)
    async with client(server) as one:
        accepted = await one.authenticate(ada.access_token, projects=[str(garden)])
        assert accepted["payload"]["projects"] == [str(garden)]
        await server.new_task(kitchen, ada.account_id)
        created = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == created.position


async def test_a_subscription_can_be_changed_without_losing_anything(server: Server) -> None:
    ada = await server.sign_in()
    garden, kitchen = await server.new_project(ada.account_id), await server.new_project(ada.account_id)
    async with client(server, ada.access_token, projects=[str(garden)]) as one:
        await one.send("subscribe", projects=[str(kitchen)])
        subscribed = await one.receive()
        assert subscribed["event_type"] == "subscribed"
        assert subscribed["payload"]["projects"] == [str(kitchen)]
        await server.new_task(garden, ada.account_id)
        created = await server.new_task(kitchen, ada.account_id)
        assert (await one.receive())["position"] == created.position
        await one.send("subscribe", projects="all")
        assert set((await one.receive())["payload"]["projects"]) == {str(garden), str(kitchen)}
        created = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == created.position


async def test_a_foreign_project_is_answered_like_one_that_does_not_exist(server: Server) -> None:
    ada, eve = await server.sign_in(), await server.member("eve@example.org")
    foreign, invented = await server.new_project(ada.account_id), uuid4()

    async def answer(project_id: UUID) -> dict[str, object]:
        async with client(server, eve.access_token) as one:
            await one.send("subscribe", projects=[str(project_id)])
            assert (await one.receive())["payload"]["projects"] == []
            problem = await one.receive()
            assert problem["event_type"] == "error"
            return {**problem["payload"], "projects": len(problem["payload"]["projects"])}

    assert await answer(foreign) == await answer(invented)


async def test_a_project_that_was_wanted_before_one_belonged_to_it_is_heard_of_when_one_does(server: Server) -> None:
    ada, grace = await server.sign_in(), await server.member("grace@example.org")
    garden = await server.new_project(ada.account_id)
    async with client(server, grace.access_token) as one:
        await one.send("subscribe", projects=[str(garden)])
        assert [(await one.receive())["event_type"] for _ in range(2)] == ["subscribed", "error"]
        added = await server.add_member(garden, grace.account_id)
        created = await server.new_task(garden, ada.account_id)
        assert [m["position"] for m in await one.until(created.position)] == [added.position, created.position]


async def test_a_ping_is_answered_with_how_far_the_socket_is(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    async with client(server, ada.access_token) as one:
        created = await server.new_task(garden, ada.account_id)
        await one.until(created.position)
        await one.send("ping", nonce="7")
        pong = await one.receive()
    assert (pong["event_type"], pong["payload"], pong["position"]) == ("pong", {"nonce": "7"}, created.position)
