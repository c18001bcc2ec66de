"""Exports are proven offline, by their manifest, their proof file and the public key; every forgery is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adapters.proof.verdict import CannotVerify, Verdict
from adapters.proof.verify_export import verify_export
from hivesync_core.exports.events import ExportFormat
from hivesync_core.proof.finding import Kind
from hivesync_core.proof.manifest import manifest_signature
from hivesync_core.proof.note import SigningKey
from tests.proof.events import KEY
from tests.proof.exports import copied, export, telling_log
from tests.proof.store import store
from tests.servers.postgres import PostgresServers

LOG = telling_log(90)
NAMES = ("all", "range", "filtered")
FORMATS = tuple(ExportFormat)
FILES = [f"{name}.{format_}" for name in NAMES for format_ in FORMATS]
THIEF = SigningKey(KEY.name, bytes(32))

many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def exports(postgres_servers: PostgresServers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every export in every format."""
    folder = tmp_path_factory.mktemp("exports")
    with postgres_servers.get("18").database() as url:
        store(url, LOG)
        export(url, folder, [(name, format_) for name in NAMES for format_ in FORMATS])
    return folder


def positions_of(name: str) -> list[int]:
    if name.startswith("all"):
        return [record.id for record in LOG]
    if name.startswith("range"):
        return list(range(21, 71))
    return [record.id for record in LOG if record.topic == "task.created.v1"]


class Cut(NamedTuple):
    """An export in pieces: what it begins with, the bytes of each of its events, what it ends with."""

    head: bytes
    events: list[bytes]
    tail: bytes

    def with_events(self, events: Sequence[bytes]) -> bytes:
        return self.head + b"".join(events) + self.tail


def cut(path: Path) -> Cut:
    data = path.read_bytes()
    head = {".csv": b"\r\n", ".txt": b"\n\n", ".jsonocel": b"\n"}.get(path.suffix)
    at = data.index(head) + len(head) if head else 0
    end = data.index(b'],"objects"') if path.suffix == ".jsonocel" else len(data)
    ends = {".csv": b"\r\n", ".txt": b"\n\n"}.get(path.suffix, b"\n")
    return Cut(data[:at], [piece + ends for piece in data[at:end].split(ends)[:-1]], data[end:])


def verify(path: Path) -> Verdict:
    return verify_export(path, KEY.public)


def found(path: Path) -> tuple[Kind, int | None]:
    finding = verify(path).finding
    assert finding is not None, "it was found genuine"
    return finding.kind, finding.position


@pytest.mark.parametrize("file", FILES)
def test_an_untouched_export_is_genuine(exports: Path, file: str) -> None:
    verdict = verify(exports / file)
    assert verdict.finding is None
    assert verdict.events == len(positions_of(file))
    assert verdict.checkpoint_size == 90
    assert verify(exports / f"{file}.manifest.json").finding is None


def test_the_exports_show_an_erased_account_and_defused_cells(exports: Path) -> None:
    text = (exports / "all.csv").read_text()
    assert f"erased-{LOG[3].meta.actor}" in text
    assert "'=HYPERLINK" in text
    assert "\\u003b=b" in text


@many
@given(st.sampled_from(FILES), st.data())
def test_any_bit_of_an_export_is_found_at_its_event(exports: Path, file: str, data: st.DataObject) -> None:
    positions = positions_of(file)
    whole = cut(exports / file)
    pieces = whole.events
    at = data.draw(st.integers(0, len(pieces) - 1))
    bit = data.draw(st.integers(0, len(pieces[at]) * 8 - 1))
    changed = bytearray(pieces[at])
    changed[bit // 8] ^= 1 << bit % 8
    with TemporaryDirectory() as folder:
        path = copied(exports, file, Path(folder))
        path.write_bytes(whole.with_events([*pieces[:at], bytes(changed), *pieces[at + 1 :]]))
        finding = verify(path).finding
    assert finding is not None
    assert finding.position == positions[at]


@many
@given(st.sampled_from(FILES), st.data())
def test_any_bit_around_the_events_of_an_export_is_found(exports: Path, file: str, data: st.DataObject) -> None:
    whole = cut(exports / file)
    around = whole.head + whole.tail
    assume(around)
    changed = bytearray(around)
    bit = data.draw(st.integers(0, len(around) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    head, tail = bytes(changed[: len(whole.head)]), bytes(changed[len(whole.head) :])
    with TemporaryDirectory() as folder:
        path = copied(exports, file, Path(folder))
        path.write_bytes(Cut(head, whole.events, tail).with_events(whole.events))
        assert verify(path).finding is not None


@many
@given(st.sampled_from(FILES), st.data())
def test_events_dropped_doubled_swapped_and_cut_off(exports: Path, file: str, data: st.DataObject) -> None:
    positions = positions_of(file)
    whole = cut(exports / file)
    pieces = whole.events
    at = data.draw(st.integers(0, len(pieces) - 2))
    with TemporaryDirectory() as folder:
        path = copied(exports, file, Path(folder))

        def found_in(changed: list[bytes]) -> tuple[Kind, int | None]:
            path.write_bytes(whole.with_events(changed))
            return found(path)

        assert found_in(pieces[: at + 1]) == (Kind.CUT_OFF, positions[at + 1])
        assert found_in([*pieces[:at], *pieces[at + 1 :]]) == (Kind.DROPPED, positions[at])
        assert found_in([*pieces[: at + 1], *pieces[at:]]) == (Kind.ADDED, positions[at + 1])
        swapped = [*pieces[:at], pieces[at + 1], pieces[at], *pieces[at + 2 :]]
        assert found_in(swapped) == (Kind.MOVED, positions[at])
        assert found_in([*pieces, pieces[at]]) == (Kind.ADDED, positions[at])


@many
@given(st.sampled_from(FILES), st.data())
def test_an_export_cut_within_a_line(exports: Path, file: str, data: st.DataObject) -> None:
    positions = positions_of(file)
    whole = cut(exports / file)
    pieces = whole.events
    at = data.draw(st.integers(0, len(pieces) - 1))
    keep = data.draw(st.integers(1, len(pieces[at]) - 1))
    with TemporaryDirectory() as folder:
        path = copied(exports, file, Path(folder))
        path.write_bytes(whole.head + b"".join(pieces[:at]) + pieces[at][:keep])
        assert found(path)[1] == positions[at]


def test_an_event_of_another_log_added_at_the_end(exports: Path, tmp_path: Path) -> None:
    path = copied(exports, "all.jsonl", tmp_path)
    last = cut(path).events[-1].replace(b'"position":90', b'"position":91')
    path.write_bytes(path.read_bytes() + last)
    assert found(path) == (Kind.ADDED, 91)


def change_first_comment(path: Path) -> None:
    """Change one event so that only its hashes can tell, and make the manifest's figures fit."""
    data = path.read_bytes()
    old, new = (b'"time":"2026', b'"time":"2027') if path.suffix == ".jsonocel" else (b"plain", b"plane")
    path.write_bytes(data.replace(old, new, 1))
    assert path.read_bytes() != data
    beside = path.with_name(path.name + ".manifest.json")
    manifest = json.loads(beside.read_text())
    manifest["sha256"] = sha256(path.read_bytes()).hexdigest()
    beside.write_text(json.dumps(manifest))


@pytest.mark.parametrize("file", FILES)
def test_a_manifest_made_to_fit_a_changed_export_is_forged_and_the_event_is_named(
    exports: Path, tmp_path: Path, file: str
) -> None:
    path = copied(exports, file, tmp_path)
    changed = next(record.id for record in LOG if record.id in positions_of(file) and b'"plain"' in record.state)
    change_first_comment(path)
    kind, position = found(path)
    if path.suffix in (".txt", ".jsonocel"):
        assert (kind, position) == (Kind.FORGED, None)
    else:
        assert (kind, position) == (Kind.CHANGED, changed)


@pytest.mark.parametrize("file", FILES)
def test_a_manifest_signed_by_another_key_is_forged(exports: Path, tmp_path: Path, file: str) -> None:
    path = copied(exports, file, tmp_path)
    beside = path.with_name(path.name + ".manifest.json")
    manifest = json.loads(beside.read_text())
    manifest["signature"] = manifest_signature(manifest, THIEF)
    beside.write_text(json.dumps(manifest))
    assert found(path) == (Kind.FORGED, None)


@many
@given(st.data())
def test_no_member_of_a_manifest_can_be_changed(exports: Path, data: st.DataObject) -> None:
    text = (exports / "range.csv.manifest.json").read_text()
    at = data.draw(st.integers(0, len(text) - 1))
    bit = data.draw(st.integers(0, 6))
    changed = text[:at] + chr(ord(text[at]) ^ 1 << bit) + text[at + 1 :]
    with TemporaryDirectory() as folder:
        path = copied(exports, "range.csv", Path(folder))
        path.with_name("range.csv.manifest.json").write_text(changed)
        try:
            verdict = verify(path)
        except CannotVerify:
            return
        try:
            same = json.loads(changed) == json.loads(text)
        except ValueError:
            same = False
        assert (verdict.finding is None) == same


def test_a_manifest_without_its_signature_is_forged(exports: Path, tmp_path: Path) -> None:
    path = copied(exports, "all.csv", tmp_path)
    beside = path.with_name("all.csv.manifest.json")
    manifest = json.loads(beside.read_text())
    del manifest["signature"]
    beside.write_text(json.dumps(manifest))
    assert found(path) == (Kind.FORGED, None)


def test_the_manifest_and_proof_of_an_earlier_export_do_not_fit_a_later_one(exports: Path, tmp_path: Path) -> None:
    path = copied(exports, "all.csv", tmp_path)
    for suffix in (".manifest.json", ".proof"):
        shutil.copy(exports / f"range.csv{suffix}", tmp_path / f"all.csv{suffix}")
    assert found(path) == (Kind.ADDED, 21)


@many
@given(st.sampled_from(FILES), st.data())
def test_no_bit_of_a_proof_file_can_be_changed(exports: Path, file: str, data: st.DataObject) -> None:
    proof = bytearray((exports / f"{file}.proof").read_bytes())
    bit = data.draw(st.integers(0, len(proof) * 8 - 1))
    proof[bit // 8] ^= 1 << bit % 8
    with TemporaryDirectory() as folder:
        path = copied(exports, file, Path(folder))
        path.with_name(f"{file}.proof").write_bytes(bytes(proof))
        assert found(path) == (Kind.FORGED, None)


def test_the_public_key_of_somebody_else_makes_everything_forged(exports: Path) -> None:
    for file in FILES:
        finding = verify_export(exports / file, THIEF.public).finding
        assert finding is not None
        assert finding.kind is Kind.FORGED


@pytest.mark.parametrize("missing", ["", ".manifest.json", ".proof"])
def test_what_is_missing_or_no_manifest_cannot_be_told(exports: Path, tmp_path: Path, missing: str) -> None:
    path = copied(exports, "all.csv", tmp_path)
    path.with_name(f"all.csv{missing}").unlink()
    with pytest.raises(CannotVerify):
        verify(path)
    path.with_name("all.csv.manifest.json").write_text("no JSON")
    with pytest.raises(CannotVerify):
        verify(path)


def test_exports_of_an_empty_log_and_of_nothing(postgres_url: str, tmp_path: Path) -> None:
    export(postgres_url, tmp_path, [("all", ExportFormat.CSV)])
    assert verify(tmp_path / "all.csv").finding is None
    with (tmp_path / "all.csv").open("ab") as file:
        file.write(b"x")
    assert found(tmp_path / "all.csv") == (Kind.ADDED, None)
    store(postgres_url, [record for record in LOG if record.id < 3])
    export(postgres_url, tmp_path, [("filtered", format_) for format_ in FORMATS])
    for format_ in FORMATS:
        verdict = verify(tmp_path / f"filtered.{format_}")
        assert (verdict.finding, verdict.events) == (None, 0)


def test_a_long_export_is_proven(postgres_url: str, tmp_path: Path) -> None:
    log = telling_log(9_000)
    store(postgres_url, log)
    export(postgres_url, tmp_path, [(name, ExportFormat.CSV) for name in NAMES])
    for name in NAMES:
        assert verify(tmp_path / f"{name}.csv").finding is None
    path = tmp_path / "filtered.csv"
    whole = cut(path)
    path.write_bytes(whole.with_events(whole.events[:2_500] + whole.events[2_501:]))
    assert found(path) == (Kind.DROPPED, [record.id for record in log if record.topic == "task.created.v1"][2_500])
