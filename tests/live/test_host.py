"""What a host may send, and what the server answers where it does not fit."""

from __future__ import annotations

import pytest

from shared.socket.close_codes import CloseCode
from tests.live.people import patch
from tests.live.stage import Stage


async def test_a_patch_that_does_not_fit_changes_nothing_and_asks_for_a_snapshot(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "one\n")
    viewer = await stage.viewing()
    wrong = host.files["a.py"].change_at(0, 3, "xxx")
    for payload, reason in (
        (patch("a.py", 7, [wrong]), "version"),
        (patch("b.py", 1, [wrong]), "not_open"),
        ({**patch("a.py", 1, [wrong]), "sha256_after": "0" * 64}, "digest"),
        ({**patch("a.py", 1, [wrong]), "version": 1}, "version"),
        ({**patch("a.py", 1, []), "changes": [_beyond()]}, "range"),
    ):
        await host.send("live.change", **payload)
        asked = (await host.expect("live.send_snapshot"))["payload"]
        assert (asked["file"], asked["reason"]) == (payload["file"], reason)
        await host.send(
            "live.change", **{**patch("a.py", 1, [wrong]), "file": payload["file"]}
        )  # Under way: passed by.
        if payload["file"] == "a.py":
            await host.show("a.py")
            assert (await host.expect("live.ack"))["payload"] == {"file": "a.py", "version": 1}
    await host.insert("a.py", 0, "zero\n")
    assert await viewer.until("a.py", 2) == "zero\none\n"


def _beyond() -> dict[str, object]:
    return {"range": {"start": {"line": 9, "character": 0}, "end": {"line": 9, "character": 0}}, "text": "x"}


async def test_several_files_open_change_close_and_are_renamed(stage: Stage) -> None:
    host = await stage.hosting()
    early = await stage.viewing()
    await host.open_file("a.py", "a\n")
    await host.open_file("b/c.ts", "")
    await host.insert("b/c.ts", 0, "let x\r\n")
    await host.send(
        "live.show", file="b/c.ts", visible={"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    )
    await host.send("live.rename", file="a.py", to="z.py")
    host.files["z.py"] = host.files.pop("a.py")
    await host.insert("z.py", 0, "# ")
    await early.until("b/c.ts", 2)
    late = await stage.viewing()
    for viewer in (early, late):
        assert await viewer.until("z.py", 2) == "# a\n"
        assert {name: file.text for name, file in viewer.files.items()} == {"z.py": "# a\n", "b/c.ts": "let x\r\n"}
        assert viewer.focus is not None
        assert viewer.focus["file"] == "b/c.ts"
    await host.send("live.close", file="z.py")
    while "z.py" in late.files:
        await late.take()


@pytest.mark.parametrize("name", [".env", "config/.env.local", "id_rsa", ".git/config", "build/x.js"])
async def test_a_secret_is_refused_by_every_way_to_show_it_and_the_rule_is_named(stage: Stage, name: str) -> None:
    host = await stage.hosting(ignore=[{"folder": "", "patterns": ["build/"]}])
    viewer = await stage.viewing()
    refused = await host.open_file(name, "KEY=hunter2-of-the-garden\n")
    del host.files[name]
    assert refused["payload"]["code"] in ("file.secret", "file.ignored")
    assert refused["payload"]["rule"]
    await host.open_file("plain.txt", "fine\n")
    await host.send("live.rename", file="plain.txt", to=name)
    renamed = (await host.expect("live.refused"))["payload"]
    assert (renamed["about"], renamed["file"]) == ("live.rename", name)
    await host.send("live.change", **patch(name, 1, [host.files["plain.txt"].change_at(0, 0, "x")]))
    assert (await host.expect("live.send_snapshot"))["payload"]["reason"] == "not_open"
    await host.send("live.show", file=name)
    assert (await host.expect("live.refused"))["payload"]["code"] == "file.not_open"
    while (await viewer.take())["event_type"] != "live.closed":
        assert name not in viewer.files
    assert viewer.files == {}


async def test_with_an_allow_list_nothing_else_is_shown(stage: Stage) -> None:
    await stage.start(allow=["src/**"])
    host = await stage.hosting()
    assert (await host.open_file("src/a.py", "a"))["event_type"] == "live.ack"
    refused = await host.open_file("notes.md", "b")
    assert refused["payload"]["code"] == "file.not_allowed"


async def test_files_are_bounded_in_size_and_number(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.gateway.live.host.FILES_MAX", 2)
    monkeypatch.setattr("adapters.gateway.live.host.FILE_BYTES_MAX", 1_000)
    monkeypatch.setattr("adapters.gateway.live.room.FILE_BYTES_MAX", 1_000)
    monkeypatch.setattr("adapters.gateway.live.host.SESSION_BYTES_MAX", 1_500)
    host = await stage.hosting()
    assert (await host.open_file("a", "é" * 500))["event_type"] == "live.ack"
    assert (await host.open_file("b", "x" * 1_001))["payload"]["code"] == "file.too_large"
    assert (await host.open_file("b", "x" * 501))["payload"]["code"] == "file.too_large"
    assert (await host.open_file("b", "x"))["event_type"] == "live.ack"
    assert (await host.open_file("c", "x"))["payload"]["code"] == "file.too_many"
    await host.insert("a", 0, "x")
    assert (await host.expect("live.send_snapshot"))["payload"]["reason"] == "too_large"


async def test_the_same_host_again_takes_the_place_of_the_first(stage: Stage) -> None:
    first = await stage.hosting()
    await first.open_file("a.py", "a\n")
    second = await stage.hosting()
    assert await first.ended() == CloseCode.REPLACED
    second.files = first.files
    await second.insert("a.py", 0, "# ")
    await second.acknowledged("a.py")


async def test_a_message_that_is_none_closes_the_hosts_socket(stage: Stage) -> None:
    for text in ("{", "[]", '{"event_type":"live.change","payload":{}}', '{"event_type":"live.view","payload":{}}'):
        host = await stage.hosting()
        await host.connection.send(text)
        assert await host.ended() == CloseCode.MALFORMED
