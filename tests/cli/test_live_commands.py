"""`hivesync live`: files are shown exactly, as they are saved or as an editor says, and watched by people and by programs."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.cli.console import CommandFailed
from adapters.cli.live.folder import Folder
from adapters.cli.live.main import main
from adapters.cli.live.picture import Scene, ShownFile
from hivesync_core.live.document import Document
from tests.cli.commands import PATIENCE_S, Command, Terminal
from tests.http.harness import Person, RunningServer, running

HOST = ("host", "--project", "Garden")
NOBODY_THERE = (*HOST, "--server", "http://127.0.0.1:9", "--token-file", "token")


class Garden:
    """A server, Ada's project Garden on it, and commands in her name."""

    def __init__(self, server: RunningServer, ada: Person, project_id: UUID, token: str) -> None:
        self.server, self.ada, self.project_id = server, ada, project_id
        self._environment = {"HIVESYNC_SERVER": server.url, "HIVESYNC_TOKEN": token}
        self._commands: list[Command | Terminal] = []

    async def start(self, *arguments: object, **more: Any) -> Command:
        """Start `hivesync live`."""
        command = await Command.start("live", *arguments, "--json", **{**self._environment, **more})
        self._commands.append(command)
        return command

    async def terminal(self, *arguments: object) -> Terminal:
        """Start `hivesync live` on a terminal."""
        terminal = await Terminal.start("live", *arguments, **self._environment)
        self._commands.append(terminal)
        return terminal

    async def hosting(self, folder: Path, *arguments: object) -> tuple[Command, str]:
        """A host that is connected, and the link to its session."""
        host = await self.start(*HOST, *arguments, folder=folder)
        invite = (await host.event("invite"))["link"].removeprefix("hivesync://live/")
        await host.event("hosting")
        return host, f"{self.server.url}/live#{invite}"

    async def close(self) -> None:
        """Leave nothing running."""
        for command in self._commands:
            await command.kill()


@pytest.fixture
async def garden(postgres_url: str) -> AsyncIterator[Garden]:
    """A server with the project."""
    async with running(postgres_url) as server:
        ada = await server.person("ada")
        project_id = await ada.project("Garden")
        made = await ada.post("/tokens", {"name": "laptop", "scopes": ["read", "live"]})
        garden = Garden(server, ada, project_id, made.json()["token"])
        yield garden
        await garden.close()


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.02)


def _text_of(path: Path) -> str:
    return path.read_bytes().decode() if path.exists() else ""


async def test_each_save_is_seen_by_a_viewer_and_ctrl_c_ends_the_session(garden: Garden, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    file = tmp_path / "src" / "gate.py"
    file.write_bytes("def swing():\r\n    return '🚪'\r\n".encode())
    host, link = await garden.hosting(tmp_path, "src/gate.py")
    copy = tmp_path / "copy"
    viewer = await garden.start("view", link, "--name", "Grace", "--write-to", copy)
    assert (await host.event("viewer", status="watching"))["name"] == "Grace"
    await viewer.event("snapshot")
    shown = copy / "src" / "gate.py"
    await _until(lambda: _text_of(shown) == _text_of(file))
    assert shown.stat().st_mode & 0o777 == 0o444
    some = random.Random(4)
    for _ in range(12):
        text = _text_of(file)
        at = some.randrange(len(text) + 1)
        file.write_bytes(
            (text[:at] + some.choice(["x", "🐝\r\n", "\n", "é"]) + text[at + some.randrange(3) :]).encode()
        )
        await host.event("saved", file="src/gate.py")
    await _until(lambda: _text_of(shown) == _text_of(file))
    host.interrupt()
    assert (await host.event("ended"))["reason"] == "host_ended"
    assert (await viewer.event("ended"))["reason"] == "host_ended"
    assert await host.ends() == (0, "")
    assert await viewer.ends() == (0, "")
    assert _text_of(shown) == _text_of(file)


async def test_an_editor_hosts_by_lines_and_a_member_watches_everything(garden: Garden, tmp_path: Path) -> None:
    host = await garden.start(*HOST, "--stdin-patches", folder=tmp_path)
    session_id = (await host.event("started"))["session_id"]
    await host.says({"file": "a.py", "text": "one\r\ntwo 🐝\n"}, {"file": "b.py", "text": "b"})
    viewer = await garden.start("view", session_id, "--account")
    await viewer.event("snapshot")
    some = random.Random(5)
    for _ in range(150):
        line = some.randrange(2)
        place = {"line": line, "character": some.randrange(3)}
        await host.says(
            {"file": "a.py", "changes": [{"range": {"start": place, "end": place}, "text": some.choice("xyé")}]}
        )
    wrong = {"line": 9, "character": 0}
    await host.says(
        {"file": "a.py", "changes": [{"range": {"start": wrong, "end": wrong}, "text": "x"}]},
        {"file": "none.py", "changes": [{"range": {"start": wrong, "end": wrong}, "text": "x"}]},
        {"nonsense": 1},
        {"file": "a.py", "selections": [{"start": place, "end": place}]},
        {"file": "b.py", "rename": "c.py"},
        {"file": "c.py", "close": True},
    )
    assert [(await host.event("bad_line", line=line))["line"] for line in (153, 154, 155)] == [153, 154, 155]
    assert (await viewer.event("focus", file="a.py"))["selections"][0]["start"] == place
    assert (await viewer.event("renamed"))["to"] == "c.py"
    await viewer.event("closed", file="c.py")
    assert [event["version"] for event in viewer.events if event["event"] == "changed"][-1] == 151
    copy = await garden.start("view", session_id, "--account", "--once", "--write-to", tmp_path / "copy")
    whole = await garden.start("view", session_id, "--account", "--once")
    assert (await copy.ends())[0] == 0
    assert (await whole.ends())[0] == 0
    (shown,) = (await whole.event("snapshot"))["files"]
    assert (shown["file"], shown["version"], shown["text"]) == ("a.py", 151, _text_of(tmp_path / "copy" / "a.py"))
    assert len(shown["text"]) == 161
    host.end_input()
    assert (await host.ends())[0] == 3, "some lines were bad"
    assert (await viewer.ends())[0] == 0


async def test_a_secret_is_refused_by_its_rule_before_anything_of_it_is_read(garden: Garden, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    (tmp_path / "build").mkdir()
    for name in (".env.local", "build/made.py", "gate.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "harmless.py").symlink_to(tmp_path / ".env.local")
    names = (".env.local", "build/made.py", "harmless.py", "gate.py")
    host = await garden.start(*HOST, "--root", tmp_path, *names, folder=tmp_path)
    assert (await host.event("refused", file=".env.local"))["rule"] == ".env*"
    assert (await host.event("refused", file="build/made.py"))["rule"] == "build/"
    assert (await host.event("refused", file="harmless.py"))["rule"] == ".env*"
    assert (await host.event("failed"))["exit_code"] == 1
    assert (await host.ends())[0] == 1
    assert (await garden.ada.get(f"/projects/{garden.project_id}/live-sessions")).json()["items"] == []
    host, link = await garden.hosting(tmp_path, "--root", tmp_path, "--skip-refused", *names)
    viewer = await garden.start("view", link, "--once", folder=tmp_path)
    assert [file["file"] for file in (await viewer.event("snapshot"))["files"]] == ["gate.py"]


async def test_a_host_that_was_killed_goes_on_with_its_session(garden: Garden, tmp_path: Path) -> None:
    (tmp_path / "gate.py").write_text("one\n")
    host = await garden.start(*HOST, "gate.py", folder=tmp_path)
    session_id = (await host.event("started"))["session_id"]
    await host.event("hosting")
    viewer = await garden.start("view", session_id, "--account", "--write-to", tmp_path / "copy")
    await viewer.event("snapshot")
    await host.kill()
    await viewer.event("host", status="away")
    (tmp_path / "gate.py").write_text("two\n")
    again = await garden.start("host", "--session", session_id, "gate.py", folder=tmp_path)
    await again.event("hosting")
    await viewer.event("host", status="here")
    await _until(lambda: _text_of(tmp_path / "copy" / "gate.py") == "two\n")
    again.interrupt()
    assert (await again.ends())[0] == (await viewer.ends())[0] == 0


async def test_a_terminal_shows_the_file_follows_the_host_and_takes_keys(garden: Garden, tmp_path: Path) -> None:
    (tmp_path / "gate.py").write_text("def swing():\n    return 1\n")
    (tmp_path / "notes.txt").write_text("Steer \x1b]0;taken\x07 the terminal\n")
    host, link = await garden.hosting(tmp_path, "gate.py", "notes.txt")
    terminal = await garden.terminal("view", link, "--name", "Grace")
    await terminal.shows("def swing():")
    terminal.press("n")
    await terminal.shows("Steer ␛]0;taken␇ the terminal")
    assert "\x1b]0;taken" not in terminal.said
    (tmp_path / "gate.py").write_text("def swing():\n    return 2222\n")
    await host.event("saved")
    terminal.press("f")
    await terminal.shows("2222")
    terminal.press("q")
    assert await terminal.ends() == 0
    assert (await host.event("viewer", status="left"))["name"] == "Grace"


# --- what cannot be done ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["view", "nonsense"], 2, "Give the whole link"),
        (["view", "hivesync://live/hsl_" + "x" * 49], 2, "HIVESYNC_SERVER"),
        (["view", "http://127.0.0.1:9/live#hsl_" + "x" * 49], 4, "cannot be reached"),
        (["view", "00000000-0000-7000-8000-000000000000", "--server", "http://127.0.0.1:9"], 2, "--account"),
        (["host", "--project", "Garden", "--server", "http://127.0.0.1:9"], 2, "there is no file to show"),
        (["host", "--project", "Garden", "--server", "http://127.0.0.1:9", "gate.py"], 2, "needs a token"),
        (["host", "--project", "Garden", "--server", "nonsense", "--token-file", "token", "gate.py"], 2, "no address"),
        ([*NOBODY_THERE, "."], 2, "is a folder"),
        ([*NOBODY_THERE, "/etc/passwd"], 2, "--root"),
        ([*NOBODY_THERE, "made.o"], 1, "no text"),
        ([*NOBODY_THERE, "none.py"], 1, "cannot be shown"),
        ([*NOBODY_THERE, "gate.py"], 4, "cannot be reached"),
        ([*NOBODY_THERE, "pipe"], 1, "no ordinary file"),
        ([*NOBODY_THERE, "huge.txt"], 1, "more than 2,097,152 bytes"),
        ([*NOBODY_THERE, "--root", "/nowhere", "gate.py"], 2, "/nowhere is no folder"),
        ([*HOST, "--server", "http://127.0.0.1:9", "--token-file", "/nowhere", "gate.py"], 2, "/nowhere cannot be read: No such file"),
        (["host", "--project", "Garden", "--server", "http://[::bad", "--token-file", "token", "gate.py"], 2, "no address"),
        (["host", "--project", "Garden", "--server", "http://127.0.0.1:99999", "--token-file", "token", "gate.py"], 2, "no address"),
        (["view", "http://[::bad/live#hsl_" + "x" * 49], 2, "Give the whole link"),
        (["wave"], 2, "there is no command 'wave'"),
        ([], 2, "host FILE..."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_with_the_remedy(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("HIVESYNC_SERVER", "HIVESYNC_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.py").write_text("x\n")
    (tmp_path / "made.o").write_bytes(b"\xff\x00\x01")
    (tmp_path / "huge.txt").write_bytes(b"x" * 2_097_153)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "token").write_text("hsp_x\n")
    assert main(arguments) == code
    assert said in capsys.readouterr().err


def test_an_accounts_token_is_not_sent_to_the_server_that_a_link_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HIVESYNC_SERVER", "https://hivesync.example.org")
    monkeypatch.setenv("HIVESYNC_TOKEN", "hsp_secret")
    assert main(["view", "http://127.0.0.1:9/live#hsl_" + "x" * 49, "--account"]) == 2
    assert "needs a token for that server" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["host", "view"])
def test_help_has_examples_and_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert "examples:\n  " in told
    assert "exit codes:\n  0" in told


def test_a_folder_with_other_files_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x\n")
    with pytest.raises(CommandFailed, match="no empty folder"):
        Folder(tmp_path)


@pytest.mark.parametrize("name", ["../out.py", "/etc/out", "a/../../out", "link/out.py"])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    folder = Folder(copy)
    (tmp_path / "elsewhere").mkdir()
    (copy / "link").symlink_to(tmp_path / "elsewhere")
    scene = Scene(files={name: ShownFile(Document("x"), "")})
    assert folder.write(scene) == [name]
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (tmp_path / "out.py").exists()
    assert folder.write(Scene()) == []


async def test_what_happens_to_a_file_while_it_is_shown_is_told_and_ends_nothing(
    garden: Garden, tmp_path: Path
) -> None:
    shown = tmp_path / "gate.py"
    shown.write_text("x = 1\n")
    host, link = await garden.hosting(tmp_path, "gate.py")
    viewer = await garden.start("view", link, "--name", "Grace")
    await viewer.event("snapshot")
    for data, cause in ((b"\xff\x00\x01", "no text"), (b"x" * 2_097_153, "more than")):
        shown.write_bytes(data)
        assert cause in (await host.event("unreadable"))["message"]
    shown.unlink()
    assert (await host.event("deleted"))["file"] == "gate.py"
    assert (await viewer.event("closed"))["file"] == "gate.py"
    shown.mkdir()
    assert "no ordinary file" in (await host.event("unreadable"))["message"]
    shown.rmdir()
    shown.write_bytes("zwei\r\n\U0001f600".encode())
    assert (await viewer.event("opened"))["text"] == "zwei\r\n\U0001f600"


async def test_a_token_that_is_revoked_and_an_invite_that_is_good_no_more_are_said_in_words(
    garden: Garden, tmp_path: Path
) -> None:
    (tmp_path / "gate.py").write_text("x = 1\n")
    _, link = await garden.hosting(tmp_path, "gate.py")
    sessions = (await garden.ada.get(f"/projects/{garden.project_id}/live-sessions")).json()["items"]
    path = f"/live-sessions/{sessions[0]['session_id']}"
    viewer = await garden.start("view", link, "--name", "Grace")
    await viewer.event("snapshot")
    (guest,) = (await garden.ada.get(path)).json()["viewers"]
    await garden.ada.post(f"{path}/viewers/{guest['viewer_id']}/remove", {})
    assert "removed the viewer" in (await viewer.event("failed"))["message"]
    late = await garden.start("view", link, "--name", "Eve")
    assert "It was revoked" in (await late.event("failed"))["message"]
    await garden.ada.post(f"{path}/end")
    ended = await garden.start("view", link, "--name", "Eve")
    assert "It was revoked" in (await ended.event("failed"))["message"]
