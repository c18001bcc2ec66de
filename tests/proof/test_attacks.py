"""What an attacker or a careless copy does to exports, histories and checkpoints is found, and never a traceback."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.cli.verify import main
from hivesync_core.exports.events import ExportFormat
from hivesync_core.proof.note import SigningKey
from tests.proof.events import KEY, checkpoint_at, make_log, rechained
from tests.proof.exports import copied, export, telling_log
from tests.proof.store import store
from tests.proof.test_verify_log import lines_of
from tests.servers.postgres import PostgresServers

LOG = telling_log(60)
FORMATS = tuple(ExportFormat)
OTHER_KEY = SigningKey("other.example/log", bytes(range(32)))
many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

GENUINE, TAMPERED, UNREADABLE = 0, 1, 2


@pytest.fixture(scope="module")
def exports(postgres_servers: PostgresServers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with exports, and in ``elsewhere`` the same exports of another installation."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "elsewhere").mkdir()
    wanted = [(name, format_) for name in ("all", "range") for format_ in FORMATS]
    for log, into, key in ((LOG, folder, KEY), (make_log(60, seed=5), folder / "elsewhere", OTHER_KEY)):
        with postgres_servers.get("18").database() as url:
            store(url, log)
            export(url, into, wanted, key)
    return folder


class Answer:
    """What the command answered: its exit code, and the members of its line of JSON."""

    def __init__(self, code: int, told: dict[str, Any]) -> None:
        self.code = code
        self.told = told
        finding = told.get("finding") or {}
        self.kind: str | None = finding.get("kind")
        self.position: int | None = finding.get("position")
        self.says: str = finding.get("message") or told.get("cause") or ""


Ask = Callable[..., Answer]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Ask the command about a file; an exception that it lets through fails the test."""

    def asked(path: Path | str, *arguments: str, key: SigningKey = KEY) -> Answer:
        capsys.readouterr()
        code = main(["--json", "--key", str(key.public), *arguments, str(path)])
        (line,) = capsys.readouterr().out.splitlines()
        told = json.loads(line)
        assert told["exit_code"] == code
        assert told["ok"] is {GENUINE: True, TAMPERED: False, UNREADABLE: None}[code]
        assert code == GENUINE or (told.get("finding") or {}).get("message") or told.get("cause"), "it says why"
        return Answer(code, told)

    return asked


def manifest_of(path: Path) -> Path:
    return path.with_name(path.name + ".manifest.json")


def proof_of(path: Path) -> Path:
    return path.with_name(path.name + ".proof")


def edited(path: Path, **members: Any) -> None:
    """Change members of a manifest, and leave its signature as it is."""
    manifest = json.loads(manifest_of(path).read_text())
    manifest_of(path).write_text(json.dumps({**manifest, **members}))


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "lines end as Windows ends them": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "lines end as Unix ends them": lambda data: data.replace(b"\r\n", b"\n"),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "the last line end gone": lambda data: data.rstrip(b"\r\n"),
    "one more line end": lambda data: data + b"\n",
    "one more, as Windows ends lines": lambda data: data + b"\r\n",
    "a space at the end": lambda data: data + b" ",
    "nothing left": lambda data: b"",
    "the first byte gone": lambda data: data[1:],
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "no UTF-8": lambda data: data[:-50] + b"\xff\xfe" + data[-50:],
    "a NUL": lambda data: data[:-50] + b"\0" + data[-50:],
    "a huge line": lambda data: data + b"x" * 10_000_000,
    "deep brackets": lambda data: data + b"[" * 1_000_000 + b"\n",
    "deep brackets in an event": lambda data: data.replace(b'"text":', b'"text":' + b"[" * 200_000, 1),
    "deep brackets in a cell": lambda data: data.replace(b'""text"":', b'""text"":' + b"[" * 200_000, 1),
    "twice": lambda data: data + data,
    "all lines in another order": lambda data: b"".join(reversed(data.splitlines(keepends=True))),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("how", SPOILED)
def test_whatever_a_careless_copy_does_to_an_export_is_found(
    exports: Path, tmp_path: Path, ask: Ask, how: str, format_: ExportFormat
) -> None:
    path = copied(exports, f"all.{format_}", tmp_path)
    spoiled = SPOILED[how](path.read_bytes())
    same = spoiled == path.read_bytes()
    path.write_bytes(spoiled)
    answer = ask(path)
    assert answer.code == (GENUINE if same else TAMPERED), answer.told
    # And when the figures of the manifest are made to fit.
    edited(path, sha256=sha256(spoiled).hexdigest(), size_bytes=len(spoiled))
    assert same or ask(path).code == TAMPERED


@pytest.mark.parametrize("how", SPOILED)
def test_whatever_a_careless_copy_does_to_a_history_is_found(tmp_path: Path, ask: Ask, how: str) -> None:
    path, checkpoint = tmp_path / "history.jsonl", tmp_path / "checkpoint.txt"
    checkpoint.write_text(checkpoint_at(LOG, 60).note)
    lines = b"".join(lines_of(LOG))
    spoiled = SPOILED[how](lines)
    path.write_bytes(spoiled)
    assert ask(path, "--checkpoint", str(checkpoint)).code == (GENUINE if spoiled == lines else TAMPERED)


@pytest.mark.parametrize("format_", FORMATS)
def test_last_events_cut_off_with_a_manifest_made_to_fit(
    exports: Path, tmp_path: Path, ask: Ask, format_: ExportFormat
) -> None:
    path = copied(exports, f"all.{format_}", tmp_path)
    ends = {"csv": b"\r\n", "txt": b"\n\n"}.get(format_, b"\n")
    whole = path.read_bytes()
    pieces = whole.split(ends)
    last = next(
        at for at in reversed(range(len(pieces))) if b"2026-" in pieces[at] and b'objects"' not in pieces[at][:12]
    )
    cut = ends.join(pieces[:last] + pieces[last + 1 :])
    path.write_bytes(cut)
    edited(path, sha256=sha256(cut).hexdigest(), size_bytes=len(cut), rows=59, last_position=59)
    answer = ask(path)
    assert (answer.code, answer.kind, answer.position) == (TAMPERED, "cut_off", 60), answer.told


@pytest.mark.parametrize("format_", FORMATS)
def test_files_of_another_installation_prove_nothing_here(
    exports: Path, tmp_path: Path, ask: Ask, format_: ExportFormat
) -> None:
    foreign = exports / "elsewhere" / f"all.{format_}"
    assert ask(foreign, key=OTHER_KEY).code == GENUINE
    answer = ask(foreign)
    assert (answer.code, answer.kind) == (TAMPERED, "forged")
    for companion in (manifest_of, proof_of):
        path = copied(exports, f"all.{format_}", tmp_path / companion.__name__)
        shutil.copy(companion(foreign), companion(path))
        assert ask(path).code == TAMPERED
        assert ask(path, key=OTHER_KEY).code == TAMPERED


@pytest.mark.parametrize("format_", FORMATS)
def test_manifests_and_proofs_swapped_between_exports(
    exports: Path, tmp_path: Path, ask: Ask, format_: ExportFormat
) -> None:
    for mine, other in (("all", "range"), ("range", "all")):
        for companions in ((manifest_of,), (proof_of,), (manifest_of, proof_of)):
            path = copied(exports, f"{mine}.{format_}", tmp_path)
            for companion in companions:
                shutil.copy(companion(exports / f"{other}.{format_}"), companion(path))
            assert ask(path).code == TAMPERED, (mine, companions)
    for other_format in FORMATS:
        path = copied(exports, f"all.{format_}", tmp_path)
        shutil.copy(manifest_of(exports / f"all.{other_format}"), manifest_of(path))
        shutil.copy(proof_of(exports / f"all.{other_format}"), proof_of(path))
        assert ask(path).code == (GENUINE if other_format == format_ else TAMPERED)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["csv", "txt", "jsonl", "jsonocel", "0" * 64, "-1", "2026-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@many
@given(st.data())
def test_no_value_in_a_manifest_lets_it_pass_or_breaks_the_command(
    exports: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    manifest: Any = json.loads(manifest_of(exports / "all.csv").read_text())
    at, members = manifest, []
    while isinstance(at, dict) and at:
        name = data.draw(st.sampled_from(sorted(at)))
        members.append((at, name))
        at = at[name]
        if not data.draw(st.booleans()):
            break
    holder, name = members[-1]
    before = json.dumps(manifest, sort_keys=True)
    if data.draw(st.booleans()):
        del holder[name]
    else:
        holder[name] = data.draw(VALUES)
    with TemporaryDirectory() as folder:
        path = copied(exports, "all.csv", Path(folder))
        manifest_of(path).write_text(json.dumps(manifest))
        code = main(["--key", str(KEY.public), str(path)])
    said = capsys.readouterr()
    assert code == GENUINE if json.dumps(manifest, sort_keys=True) == before else code in (TAMPERED, UNREADABLE)
    assert said.out + said.err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 200_000,
        '{"rows":' + "9" * 5_000 + "}",
        '"\\ud800"',
        "\ufeff{}",
        "{'file': 1}",
        "NaN",
    ],
    ids=range(10),
)
def test_what_is_no_manifest_cannot_be_told(exports: Path, tmp_path: Path, ask: Ask, text: str) -> None:
    path = copied(exports, "all.csv", tmp_path)
    manifest_of(path).write_text(text)
    assert ask(path).code == UNREADABLE
    manifest_of(path).write_bytes(b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass"))
    assert ask(path).code == UNREADABLE


@pytest.mark.parametrize("format_", FORMATS)
def test_a_proof_file_cut_at_any_byte_or_longer_than_it_was(
    exports: Path, tmp_path: Path, ask: Ask, format_: ExportFormat
) -> None:
    path = copied(exports, f"range.{format_}", tmp_path)
    whole = proof_of(path).read_bytes()
    for cut in range(len(whole)):
        proof_of(path).write_bytes(whole[:cut])
        answer = ask(path)
        assert (answer.code, answer.kind) == (TAMPERED, "forged"), cut
    for more in (b"\0", b"\n", whole, os.urandom(100)):
        proof_of(path).write_bytes(whole + more)
        assert ask(path).kind == "forged"


def test_every_byte_of_a_signed_checkpoint_counts(tmp_path: Path, ask: Ask) -> None:
    path, checkpoint = tmp_path / "history.jsonl", tmp_path / "checkpoint.txt"
    path.write_bytes(b"".join(lines_of(LOG)))
    note = checkpoint_at(LOG, 60).note.encode()
    for at in range(len(note)):
        for bit in range(8):
            changed = bytearray(note)
            changed[at] ^= 1 << bit
            checkpoint.write_bytes(bytes(changed))
            assert ask(path, "--checkpoint", str(checkpoint)).code in (TAMPERED, UNREADABLE), (at, bit)
        checkpoint.write_bytes(note[:at])
        assert ask(path, "--checkpoint", str(checkpoint)).code in (TAMPERED, UNREADABLE), at


def test_two_histories_shown_to_two_people_are_found_by_their_checkpoints(tmp_path: Path, ask: Ask) -> None:
    """Both are signed by the same key and have the same beginning: a split view."""
    forked = rechained([*LOG[:30], *make_log(60, seed=8)[30:]])
    mine, theirs = tmp_path / "mine.txt", tmp_path / "theirs.txt"
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"".join(lines_of(LOG)))
    mine.write_text(checkpoint_at(LOG, 60).note)
    for size in (31, 45, 60):
        theirs.write_text(checkpoint_at(forked, size).note)
        for given_too in ([mine, theirs], [theirs, mine], [theirs]):
            arguments = [part for one in given_too for part in ("--checkpoint", str(one))]
            answer = ask(path, *arguments)
            assert (answer.code, answer.position) == (TAMPERED, 1), (size, given_too)
            assert answer.told["finding"]["last_position"] == size
            assert answer.kind == ("forged" if size == 60 and len(given_too) == 2 else "changed")
    assert "two histories" in ask(path, "--checkpoint", str(mine), "--checkpoint", str(theirs)).says
    mine.write_text(checkpoint_at(LOG, 30).note + "\n" + mine.read_text())
    answer = ask(path, "--checkpoint", str(mine), "--checkpoint", str(theirs))
    assert (answer.kind, answer.position) == ("forged", 31), "up to there both people saw the same"
    theirs.write_text(checkpoint_at(forked, 30).note)
    assert ask(path, "--checkpoint", str(mine), "--checkpoint", str(theirs)).code == GENUINE, "as far as they agree"
    theirs.write_text(checkpoint_at(rechained([*LOG, *make_log(80, seed=8)[60:]]), 80).note)
    answer = ask(path, "--checkpoint", str(mine), "--checkpoint", str(theirs))
    assert (answer.code, answer.kind, answer.position) == (TAMPERED, "cut_off", 61)


def test_a_key_that_was_changed_vouches_for_nothing_that_the_old_one_signed(tmp_path: Path, ask: Ask) -> None:
    path, checkpoint = tmp_path / "history.jsonl", tmp_path / "checkpoint.txt"
    path.write_bytes(b"".join(lines_of(LOG)))
    renewed = SigningKey(KEY.name, bytes(reversed(range(32))))
    renamed = SigningKey("log.example/renamed", KEY.seed)
    checkpoint.write_text(checkpoint_at(LOG, 60).note)
    for key in (renewed, renamed, OTHER_KEY):
        answer = ask(path, "--checkpoint", str(checkpoint), key=key)
        assert (answer.code, answer.kind) == (TAMPERED, "forged")
    checkpoint.write_text(checkpoint_at(LOG, 40).note + "\n" + checkpoint_at(LOG, 60, renewed).note)
    for key in (KEY, renewed):
        assert ask(path, "--checkpoint", str(checkpoint), key=key).code == GENUINE, "each vouches for its own"


def test_what_is_no_file_cannot_be_told(exports: Path, tmp_path: Path, ask: Ask) -> None:
    loop, folder = tmp_path / "loop.jsonl", tmp_path / "folder.jsonl"
    loop.symlink_to(loop)
    folder.mkdir()
    for path in (loop, folder, tmp_path, tmp_path / "none.csv", tmp_path / "none" / "x.jsonl", Path("/dev/null/x.csv")):
        assert ask(path).code == UNREADABLE, path
    for broken in (lambda p: p, manifest_of, proof_of):
        path = copied(exports, "all.csv", tmp_path / "copies")
        broken(path).unlink()
        broken(path).mkdir()
        assert ask(path).code == UNREADABLE
        broken(path).rmdir()
    history = tmp_path / "history.jsonl"
    history.write_bytes(b"".join(lines_of(LOG)))
    for option in ("--checkpoint", "--leaves"):
        for bad in (loop, folder, tmp_path / "none", history):
            code = ask(history, option, str(bad)).code
            assert code == UNREADABLE or (option, bad) == ("--leaves", history), (option, bad)
    for bad in ("", "x", str(folder), str(loop), str(history), "a+b", "a+b+c", "x" * 10_000):
        assert main(["--json", "--key", bad, str(history)]) == UNREADABLE, bad


@contextmanager
def nobody() -> Iterator[None]:
    """As a user who owns nothing, where the tests run as one who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_cannot_be_told(exports: Path, ask: Ask) -> None:
    with TemporaryDirectory() as name:
        folder, inner = Path(name), Path(name) / "inner"
        folder.chmod(0o755)
        for kept_from_us in (lambda p: p, manifest_of, proof_of):
            path = copied(exports, "all.csv", folder)
            kept_from_us(path).chmod(0)
            with nobody():
                assert ask(path).code == UNREADABLE
            kept_from_us(path).chmod(0o644)
        path = copied(exports, "all.csv", inner)
        history = copied(exports, "all.jsonl", inner)
        manifest_of(history).unlink()
        inner.chmod(0)
        with nobody():
            for hidden in (path, history, manifest_of(path), inner, inner / "none.jsonl"):
                assert ask(hidden).code == UNREADABLE, hidden
            for option in ("--checkpoint", "--leaves", "--data-dir"):
                assert ask(folder / "all.jsonl", option, str(inner / "x")).code == UNREADABLE, option
            assert main(["--json", "--key", str(inner / "key"), str(folder / "all.csv")]) == UNREADABLE
        inner.chmod(0o755)
