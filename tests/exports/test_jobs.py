"""Exports as jobs: asked for over HTTP, written by a process of their own, never forgotten, fetched in any part."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psutil  # type: ignore[import-untyped]
import pytest

from adapters.cli.main import main as hivesync
from adapters.exports import worker as exports_worker
from adapters.exports.messages import Order
from adapters.http.exports import EXPORTS_WAITING_MAX
from adapters.proof.keys import PUBLIC_KEY_FILE
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from projections.exports.manifest import read_manifest
from projections.exports.writer import Job, write_export
from shared.settings import Settings
from tests.exports.logs import reader, write_nasty_log
from tests.http.conftest import server
from tests.http.harness import Person, RunningServer, data_folder, problem, running

__all__ = ["server"]

WAIT_S = 120.0


async def asked(person: Person, **wanted: Any) -> dict[str, Any]:
    """Ask for an export."""
    answer = await person.post("/exports", msgspec.to_builtins({"format": "csv", **wanted}))
    assert answer.status_code == 202, answer.text
    shown: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/exports/{shown['export_id']}"
    return shown


async def ended(person: Person, export_id: str) -> dict[str, Any]:
    """Wait until an export is no longer being written."""
    async with asyncio.timeout(WAIT_S):
        while True:
            shown: dict[str, Any] = (await person.get(f"/exports/{export_id}")).json()
            if shown["status"] != "requested":
                return shown
            await asyncio.sleep(0.1)


def writers() -> list[psutil.Process]:
    """The processes that write exports for this one."""
    found = []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            found += [process] if "adapters.exports.child" in " ".join(process.cmdline()) else []
    return found


async def child_process() -> psutil.Process:
    """The process that writes an export, as soon as there is one."""
    async with asyncio.timeout(WAIT_S):
        while not (found := writers()):
            await asyncio.sleep(0.01)
    return found[0]


async def gone(process: psutil.Process) -> None:
    """Wait until a process has ended."""
    async with asyncio.timeout(WAIT_S):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)


async def owner_with_tasks(server: RunningServer, tasks: int = 5) -> tuple[Person, UUID]:
    """Somebody with a project and some tasks."""
    owner = await server.person("owner")
    project_id = await owner.project()
    for number in range(tasks):
        await owner.task(project_id, f"Task {number}")
    return owner, project_id


async def test_an_export_is_written_and_can_be_fetched_with_what_proves_it(
    server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await asked(owner, project_id=project_id, types=["task"])
    assert (shown["status"], shown["selection"]["types"]) == ("requested", ["task"])
    shown = await ended(owner, shown["export_id"])
    assert (shown["status"], shown["rows"]) == ("completed", 5)
    folder = f"/exports/{shown['export_id']}"
    name = f"export-{shown['export_id']}.csv"
    for part, suffix in (("file", ""), ("manifest", ".manifest.json"), ("proof", ".proof")):
        answer = await owner.get(f"{folder}/{part}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}{suffix}"'
        (tmp_path / f"{name}{suffix}").write_bytes(answer.content)
    data = (tmp_path / name).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (shown["size_bytes"], shown["sha256"])
    assert read_manifest((tmp_path / f"{name}.manifest.json").read_bytes()).rows == 5
    key = Path(server.parts.settings.data_dir) / PUBLIC_KEY_FILE
    assert hivesync(["verify", str(tmp_path / name), "--key", str(key)]) == 0, capsys.readouterr()


async def test_the_file_is_the_one_that_the_log_gives_for_its_range(server: RunningServer, tmp_path: Path) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await ended(owner, (await asked(owner, project_id=project_id, format="jsonl"))["export_id"])
    fetched = (await owner.get(f"/exports/{shown['export_id']}/file")).content
    await owner.task(project_id, "Later")
    job = Job(
        format=ExportFormat.JSONL,
        selection=msgspec.convert({"project_id": str(project_id)}, Selection),
        through=shown["through"],
        erasures_through=shown["through"],
    )
    with closing(reader(server.parts.url)) as source:
        write_export(source, job, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == fetched


async def test_a_download_can_be_resumed_and_is_not_repeated(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await ended(owner, (await asked(owner, project_id=project_id))["export_id"])
    address = f"/exports/{shown['export_id']}/file"
    whole = await owner.get(address)
    tag, size = whole.headers["etag"], len(whole.content)
    assert (tag, whole.headers["accept-ranges"]) == (f'"{shown["sha256"]}"', "bytes")
    for asked_range, first, end in (
        ("5-9", 5, 10),
        ("5-", 5, size),
        ("-7", size - 7, size),
        (f"9-{size * 2}", 9, size),
    ):
        part = await owner.get(address, headers={"range": f"bytes={asked_range}", "if-range": tag})
        assert (part.status_code, part.content) == (206, whole.content[first:end]), asked_range
        assert part.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
    for headers in ({"range": "bytes=0-1,5-6"}, {"range": "lines=1-2"}, {"range": "bytes=5-9", "if-range": '"other"'}):
        answer = await owner.get(address, headers=headers)
        assert (answer.status_code, answer.content) == (200, whole.content), headers
    beyond = await owner.get(address, headers={"range": f"bytes={size}-"})
    problem(beyond, 416, "request.no_such_range")
    assert beyond.headers["content-range"] == f"bytes */{size}"
    assert (await owner.get(address, headers={"if-none-match": tag})).status_code == 304
    assert (await owner.get(address, headers={"range": "Bytes=5-9"})).content == whole.content[5:10]
    head = await owner.client.head(f"/api/v1{address}", headers={"range": "bytes=5-9"})
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    for known in (tag, "*", f'"other", {tag}'):
        part = await owner.get(address, headers={"if-match": known, "range": "bytes=5-9"})
        assert part.status_code == 206
    for other in ('"other"', f"W/{tag}"):
        problem(await owner.get(address, headers={"if-match": other}), 412, "precondition.failed")


async def test_owners_and_auditors_export_their_project_and_admins_everything(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    people = {name: await server.person(name) for name in ("auditor", "member", "stranger")}
    for role in ("auditor", "member"):
        await owner.let_in(project_id, people[role], role)
    admin = await server.person("admin", is_admin=True)
    for person in (owner, people["auditor"], admin):
        await asked(person, project_id=project_id)
    of_project = {"format": "csv", "project_id": str(project_id)}
    problem(await people["member"].post("/exports", of_project), 403, "export.not_allowed")
    problem(await people["stranger"].post("/exports", of_project), 404, "project.not_found")
    problem(await owner.post("/exports", {"format": "csv"}), 403, "export.not_allowed")
    whole = await asked(admin)
    shown = await asked(owner, project_id=project_id)
    for person, whose in ((people["member"], shown), (people["stranger"], shown), (owner, whole)):
        for part in ("", "/file", "/manifest", "/proof"):
            problem(await person.get(f"/exports/{whose['export_id']}{part}"), 404, "export.not_found")
        problem(await person.post(f"/exports/{whose['export_id']}/cancel"), 404, "export.not_found")
        problem(await person.send("DELETE", f"/exports/{whose['export_id']}"), 404, "export.not_found")
    listed = (await people["auditor"].get("/exports", headers=await seeing(server))).json()["items"]
    assert listed[0]["export_id"] == shown["export_id"]
    assert {one["project_id"] for one in listed} == {str(project_id)}
    assert (await people["member"].get("/exports", headers=await seeing(server))).json()["items"] == []
    assert len((await admin.get("/exports", headers=await seeing(server))).json()["items"]) == len(listed) + 1
    problem(await people["auditor"].post(f"/exports/{shown['export_id']}/cancel"), 403, "export.not_yours")


async def seeing(server: RunningServer) -> dict[str, str]:
    """The header of a reader who wants to see everything so far."""
    return {"hivesync-min-position": str(await server.events())}


async def test_who_was_thrown_out_fetches_nothing_more(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    auditor = await server.person("auditor")
    await owner.let_in(project_id, auditor, "auditor")
    shown = await ended(auditor, (await asked(auditor, project_id=project_id))["export_id"])
    await owner.send("DELETE", f"/projects/{project_id}/members/{auditor.account_id}")
    problem(await auditor.get(f"/exports/{shown['export_id']}/file"), 404, "export.not_found")


async def test_the_same_request_with_the_same_key_is_one_export(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    body = {"format": "txt", "project_id": str(project_id)}
    answers = [await owner.post("/exports", body, idempotency_key="k") for _ in range(3)]
    assert len({answer.json()["export_id"] for answer in answers}) == 1


async def test_one_account_has_so_many_exports_waiting_and_no_more(postgres_url: str) -> None:
    async with api_only(postgres_url, data_folder()) as server:
        owner, project_id = await owner_with_tasks(server, 1)
        for _ in range(EXPORTS_WAITING_MAX):
            last = await asked(owner, project_id=project_id)
        assert await server.parts.positions.wait("export_jobs", await server.events(), WAIT_S)
        body = {"format": "csv", "project_id": str(project_id)}
        problem(await owner.post("/exports", body), 409, "export.too_many")
        await owner.post(f"/exports/{last['export_id']}/cancel")
        assert await server.parts.positions.wait("export_jobs", await server.events(), WAIT_S)
        await asked(owner, project_id=project_id)


async def test_a_selection_that_makes_no_sense_is_refused(server: RunningServer) -> None:
    admin = await server.person("admin", is_admin=True)
    told = problem(
        await admin.post("/exports", {"format": "csv", "after": 5, "through": 4}), 422, "export.selection_refused"
    )
    assert told["field"] == "through"
    for wrong in ({"format": "xls"}, {"format": "csv", "types": ["Bad Type"]}, {"format": "csv", "colour": "red"}):
        assert (await admin.post("/exports", wrong)).status_code == 400


async def test_a_cancelled_export_ends_at_once_and_leaves_no_file(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await asked(owner, project_id=project_id)
    process = await child_process()
    process.suspend()
    problem(await owner.get(f"/exports/{shown['export_id']}/file"), 409, "export.not_ready")
    problem(await owner.send("DELETE", f"/exports/{shown['export_id']}"), 409, "export.running")
    answer = await owner.post(f"/exports/{shown['export_id']}/cancel")
    assert answer.json()["status"] == "cancelled"
    await gone(process)
    await asyncio.sleep(0.2)
    assert list(server.parts.export_files.folder.iterdir()) == []
    problem(await owner.post(f"/exports/{shown['export_id']}/cancel", if_match='"1"'), 412, "precondition.failed")


async def test_a_removed_export_is_gone_and_its_request_stays_in_the_history(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await ended(owner, (await asked(owner, project_id=project_id))["export_id"])
    answer = await owner.send("DELETE", f"/exports/{shown['export_id']}")
    assert (answer.json()["status"], answer.json()["cause"]) == ("removed", "asked")
    assert list(server.parts.export_files.folder.iterdir()) == []
    problem(await owner.get(f"/exports/{shown['export_id']}/file"), 409, "export.not_ready")


async def test_a_file_that_was_deleted_behind_the_servers_back_is_said_to_be_gone(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await ended(owner, (await asked(owner, project_id=project_id))["export_id"])
    server.parts.export_files.remove(UUID(shown["export_id"]))
    problem(await owner.get(f"/exports/{shown['export_id']}/file"), 404, "export.file_gone")


async def test_old_files_are_deleted_and_events_are_not(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, project_id = await owner_with_tasks(server)
    shown = await ended(owner, (await asked(owner, project_id=project_id))["export_id"])
    await server.parts.positions.wait("export_jobs", await server.events(), WAIT_S)
    await server.parts.exports.expire()
    assert (await owner.get(f"/exports/{shown['export_id']}")).json()["status"] == "completed"
    monkeypatch.setattr(exports_worker, "KEPT_DAYS", 0)
    events = await server.events()
    await server.parts.exports.expire()
    shown = (await owner.get(f"/exports/{shown['export_id']}")).json()
    assert (shown["status"], shown["cause"]) == ("removed", "retention")
    assert list(server.parts.export_files.folder.iterdir()) == []
    assert await server.events() == events + 1


@asynccontextmanager
async def api_only(url: str, data_dir: str) -> AsyncIterator[RunningServer]:
    """A server that takes requests for exports and writes none."""
    async with running(url, data_dir=data_dir, roles=frozenset({"api", "projector"})) as server:
        yield server


async def test_what_was_asked_for_before_a_restart_is_written_after_it(postgres_url: str) -> None:
    data_dir = data_folder()
    async with api_only(postgres_url, data_dir) as server:
        owner, project_id = await owner_with_tasks(server)
        token = owner.client.headers["authorization"].removeprefix("Bearer ")
        shown = await asked(owner, project_id=project_id)
        await asyncio.sleep(1)
        assert (await owner.get(f"/exports/{shown['export_id']}")).json()["status"] == "requested"
    async with running(postgres_url, data_dir=data_dir) as server:
        again = Person(owner.account_id, server.client(token))
        assert (await ended(again, shown["export_id"]))["status"] == "completed"


async def test_a_writer_that_is_killed_is_begun_again_and_given_up_at_the_third_time(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    once = await asked(owner, project_id=project_id)
    (await child_process()).kill()
    assert (await ended(owner, once["export_id"]))["status"] == "completed"
    thrice = await asked(owner, project_id=project_id)
    for _ in range(exports_worker.ATTEMPTS_MAX):
        process = await child_process()
        process.kill()
        await gone(process)
    shown = await ended(owner, thrice["export_id"])
    assert shown["status"] == "failed"
    assert "the process that wrote it ended" in shown["cause"]


async def test_a_disk_that_takes_no_file_fails_the_export_with_its_cause(server: RunningServer) -> None:
    owner, project_id = await owner_with_tasks(server)
    folder = server.parts.export_files.folder
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    shown = await ended(owner, (await asked(owner, project_id=project_id))["export_id"])
    assert shown["status"] == "failed"
    assert shown["cause"]


async def test_two_workers_write_an_export_once(postgres_url: str) -> None:
    data_dir = data_folder()
    async with running(postgres_url, data_dir=data_dir) as one, running(postgres_url, data_dir=data_dir) as other:
        owner, project_id = await owner_with_tasks(one)
        shown = await asked(owner, project_id=project_id)
        (await child_process()).suspend()
        await asyncio.gather(one.parts.exports.turn(), other.parts.exports.turn())
        await asyncio.sleep(1)
        children = writers()
        assert len(children) == 1
        children[0].resume()
        assert (await ended(owner, shown["export_id"]))["status"] == "completed"


_PARENT = """
import asyncio, sys
import msgspec
from adapters.exports.messages import Order
from adapters.http.exports import EXPORTS_WAITING_MAX
from adapters.exports.runner import run_export
order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
asyncio.run(run_export(order, lambda progress: None))
"""


def test_the_writer_ends_with_the_server_however_that_ends(postgres_url: str, tmp_path: Path) -> None:
    write_nasty_log(postgres_url)
    order = Order(
        settings=Settings(database_url=postgres_url, data_dir=str(tmp_path)),
        url=postgres_url,
        job=Job(format=ExportFormat.CSV, selection=Selection(), through=100, erasures_through=100),
        path=str(tmp_path / "x.csv"),
    )
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as parent:
        assert parent.stdin is not None
        parent.stdin.write(msgspec.json.encode(order) + b"\n")
        parent.stdin.flush()
        process = psutil.Process(parent.pid)
        deadline = time.monotonic() + WAIT_S
        while not process.children() and time.monotonic() < deadline:
            time.sleep(0.001)
        (child,) = process.children()
        child.suspend()
        os.kill(parent.pid, signal.SIGKILL)
    child.resume()
    child.wait(timeout=WAIT_S)
    assert not (tmp_path / "x.csv").exists()
