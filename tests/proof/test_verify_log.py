"""The store and its history.jsonl are checked against what was signed; a superuser's tampering is found and named."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adapters.proof.verdict import CannotVerify, Verdict
from adapters.proof.verify_log import Given, verify_history, verify_store
from hivesync_core.eventstore.records import StoredRecord
from hivesync_core.proof.finding import Kind
from hivesync_core.proof.note import SigningKey
from hivesync_core.proof.tree import root_of
from projections.engine.cloudevents import LineEncoder
from projections.engine.stored_text import StoredText
from tests.proof.events import FIELDS, KEY, checkpoint_at, leaves_of, make_log, rechained, renumbered, with_bit_flipped
from tests.proof.exports import telling_log
from tests.proof.store import keeper_of, store, tamper
from tests.servers.postgres import PostgresServers

SIZE = 60
LOG = telling_log(SIZE)
STRANGER = make_log(2, seed=7)[1]
many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
some = settings(many, max_examples=40)
"""For what empties and fills the log anew each time."""


def stored_text(record: StoredRecord) -> StoredText:
    meta = record.meta
    return (
        record.id, f"{meta.recorded_at:%Y-%m-%dT%H:%M:%S.%fZ}", record.topic, str(record.originator_id),
        record.originator_version, meta.actor, str(meta.event_id), str(meta.correlation_id),
        str(meta.causation_id) if meta.causation_id else None, str(meta.command_id), record.hash.hex(),
        record.state.decode(),
    )  # fmt: skip


def is_storable(record: StoredRecord) -> bool:
    """Whether PostgreSQL takes the payload at all: UTF-8 without NUL."""
    try:
        return "\0" not in record.state.decode()
    except UnicodeDecodeError:
        return False


class Signed:
    """A signed log: what an auditor keeps of it, and the database that the tests tamper with."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.checkpoints = folder / "checkpoints" / "checkpoints.txt"
        self.leaves = folder / "checkpoints" / "leaves.sha256"
        self.bare = folder / "checkpoint.txt"
        self.bare.write_text(self.checkpoints.read_text())

    def holds(self, records: Sequence[StoredRecord]) -> None:
        """Put other events into the log, as somebody may who can drop every constraint."""
        tamper(self.url, "DELETE FROM eventlog.events")
        store(self.url, records)

    def verify(self, **given_too: object) -> Verdict:
        options = {"key": KEY.public, "checkpoints": (self.bare,), **given_too}
        return verify_store(self.url, Given(**options))  # type: ignore[arg-type]

    def found(self, **given_too: object) -> tuple[Kind, int | None]:
        finding = self.verify(**given_too).finding
        assert finding is not None, "it was found genuine"
        return finding.kind, finding.position


@pytest.fixture(scope="module")
def signed(postgres_servers: PostgresServers, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("signed")
    with postgres_servers.get("18").database() as url:

        async def sign() -> None:
            async with keeper_of(url, folder) as keeper:
                for upto in (20, 40, SIZE):
                    store(url, LOG[upto - 20 : upto])
                    await keeper.sign()

        asyncio.run(sign())
        with psycopg.connect(url) as connection:
            connection.execute(
                "ALTER TABLE eventlog.events DROP CONSTRAINT events_pkey, "
                "DROP CONSTRAINT events_originator_id_originator_version_key, DROP CONSTRAINT events_event_id_key, "
                "DROP CONSTRAINT events_notification_id_check, DROP CONSTRAINT events_originator_version_check, "
                "DROP CONSTRAINT events_topic_check, DROP CONSTRAINT events_actor_check"
            )
        yield Signed(url, folder)


def test_an_untouched_store_is_genuine(signed: Signed) -> None:
    signed.holds(LOG)
    verdict = signed.verify()
    assert verdict.finding is None
    assert (verdict.events, verdict.proven, verdict.checkpoint_size) == (SIZE, SIZE, SIZE)
    assert verdict.chain_head == LOG[-1].hash.hex()
    assert verdict.root == root_of(leaves_of(LOG)).hex()


@some
@given(st.sampled_from(FIELDS), st.integers(0, SIZE - 1), st.integers(0, 2_000))
def test_any_bit_of_any_stored_event(signed: Signed, field: str, at: int, bit: int) -> None:
    changed = with_bit_flipped(LOG[at], field, bit)
    assume(is_storable(changed))
    signed.holds([*LOG[:at], changed, *LOG[at + 1 :]])
    kind, position = signed.found()
    if field != "id":
        assert (kind, position) == (Kind.CHANGED, at + 1)
        return
    # The log is read in order of position: the event stands at its new place, before or behind the one that is there.
    assert position in ({at + 1} if changed.id > at + 1 else {changed.id, changed.id + 1})


@some
@given(st.integers(0, SIZE - 2), st.integers(1, 4))
def test_rows_deleted_from_the_store(signed: Signed, at: int, count: int) -> None:
    signed.holds([*LOG[:at], *LOG[at + count :]])
    assert signed.found() == (Kind.DROPPED if at + count < SIZE else Kind.CUT_OFF, at + 1)


@some
@given(st.integers(0, SIZE - 1))
def test_rows_added_to_the_store_with_everything_recomputed(signed: Signed, at: int) -> None:
    signed.holds(rechained(renumbered([*LOG[:at], STRANGER, *LOG[at:]])))
    assert signed.found() == (Kind.ADDED, at + 1)


@some
@given(
    st.sampled_from(["state", "actor", "recorded_at", "originator_id"]), st.integers(0, SIZE - 1), st.integers(0, 39)
)
def test_a_store_whose_hashes_were_all_recomputed(signed: Signed, field: str, at: int, bit: int) -> None:
    changed = with_bit_flipped(LOG[at], field, bit)
    assume(is_storable(changed))
    signed.holds(rechained([*LOG[:at], changed, *LOG[at + 1 :]]))
    assert signed.found() == (Kind.CHANGED, at + 1)


def test_a_rewritten_store_that_lost_its_tree_and_checkpoints(signed: Signed) -> None:
    rewritten = rechained([*LOG[:33], with_bit_flipped(LOG[33], "state", 100), *LOG[34:]])
    signed.holds(rewritten)
    with psycopg.connect(signed.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM proof.tiles")
        connection.execute("DELETE FROM proof.tiles")
    try:
        bracket = signed.verify().finding
        assert bracket is not None
        assert (bracket.position, bracket.last_position, bracket.exact) == (21, 40, False)
        assert signed.found(leaves=signed.leaves) == (Kind.CHANGED, 34)
        assert signed.found(checkpoints=(signed.checkpoints,)) == (Kind.CHANGED, 34), "the copy beside them was found"
    finally:
        with psycopg.connect(signed.url) as connection:
            connection.execute("INSERT INTO proof.tiles SELECT * FROM kept")
            connection.execute("DROP TABLE kept")


def test_a_copy_of_the_leaves_counts_only_as_far_as_a_checkpoint_proves_it(signed: Signed, tmp_path: Path) -> None:
    rewritten = rechained([*LOG[:33], with_bit_flipped(LOG[33], "state", 100), *LOG[34:]])
    forged = tmp_path / "leaves"
    forged.write_bytes(b"".join(leaves_of(rewritten)))
    signed.holds(rewritten)
    assert signed.found(leaves=forged) == (Kind.CHANGED, 34), "the database's own tree is genuine and says which"
    assert found_in(signed, lines_of(rewritten), checkpoints=(signed.bare,), leaves=forged) == (Kind.CHANGED, 21)
    verdict = verify_lines(signed, LINES, leaves=forged)
    assert verdict.finding is None, "a forged copy accuses nobody"
    assert any("left aside" in note for note in verdict.notes)
    half = tmp_path / "half"
    half.write_bytes(signed.leaves.read_bytes()[: 45 * 32 + 7])
    assert verify_lines(signed, LINES, leaves=half).finding is None
    assert found_in(signed, lines_of(rewritten), leaves=half)[1] == 34


@pytest.mark.parametrize(
    "change",
    [
        "recorded_at = 'infinity'", "recorded_at = '10001-01-01'", "actor = E'a\\nb'", "topic = E'a\\nb'", "hash = ''",
        "notification_id = 0", "notification_id = -30", "state = ''", "originator_version = -1",
    ],
)  # fmt: skip
def test_values_that_no_event_has(signed: Signed, change: str) -> None:
    signed.holds(LOG)
    with psycopg.connect(signed.url) as connection:
        connection.execute("ALTER TABLE eventlog.events DROP CONSTRAINT IF EXISTS events_hash_check")
    tamper(signed.url, f"UPDATE eventlog.events SET {change} WHERE notification_id = 30")
    _, position = signed.found()
    assert position == (1 if "notification_id" in change else 30)


def test_a_column_emptied(signed: Signed) -> None:
    signed.holds(LOG)
    for column in ("topic", "actor", "state", "hash", "recorded_at", "command_id"):
        with psycopg.connect(signed.url) as connection:
            connection.execute(f"ALTER TABLE eventlog.events ALTER COLUMN {column} DROP NOT NULL".encode())
        tamper(signed.url, f"UPDATE eventlog.events SET {column} = NULL WHERE notification_id = 30")
        assert signed.found() == (Kind.CHANGED, 30)
        signed.holds(LOG)


def test_an_older_checkpoint_with_a_log_cut_to_it(signed: Signed, tmp_path: Path) -> None:
    older = tmp_path / "older.txt"
    older.write_text(checkpoint_at(LOG, 20).note)
    signed.holds(LOG[:20])
    assert signed.found(checkpoints=(older,)) == (Kind.CUT_OFF, 21), "the database knows a newer one"
    with psycopg.connect(signed.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM proof.checkpoints")
        connection.execute("DELETE FROM proof.checkpoints WHERE size > 20")
    try:
        assert signed.verify(checkpoints=(older,)).finding is None
        assert signed.found(checkpoints=(older,), at_least=21) == (Kind.CUT_OFF, 21)
        assert signed.found(checkpoints=(older, signed.bare)) == (Kind.CUT_OFF, 21)
    finally:
        with psycopg.connect(signed.url) as connection:
            connection.execute("DELETE FROM proof.checkpoints")
            connection.execute("INSERT INTO proof.checkpoints SELECT * FROM kept")
            connection.execute("DROP TABLE kept")


def test_checkpoints_by_another_key_are_forged(signed: Signed, tmp_path: Path) -> None:
    signed.holds(LOG)
    thief = SigningKey(KEY.name, bytes(32))
    fake = tmp_path / "fake.txt"
    fake.write_text(checkpoint_at(LOG, SIZE, thief).note)
    assert signed.found(checkpoints=(fake,)) == (Kind.FORGED, None)
    assert signed.found(key=thief.public) == (Kind.FORGED, None)


def test_an_event_after_the_checkpoint_is_said_to_hang_on_the_chain_alone(signed: Signed, tmp_path: Path) -> None:
    signed.holds(rechained([*LOG, *renumbered(make_log(3, seed=9), SIZE + 1)]))
    verdict = signed.verify()
    assert verdict.finding is None
    assert (verdict.proven, verdict.last_position) == (SIZE, SIZE + 3)
    assert any("newer than the checkpoint" in note for note in verdict.notes)


def test_what_cannot_be_read_cannot_be_told(signed: Signed, tmp_path: Path) -> None:
    for broken in (
        lambda: verify_store("postgresql://nobody@127.0.0.1:1/none", Given(key=KEY.public)),
        lambda: signed.verify(checkpoints=(tmp_path / "none.txt",)),
        lambda: signed.verify(leaves=tmp_path / "none"),
        lambda: verify_history(tmp_path / "none.jsonl", Given(key=KEY.public)),
    ):
        with pytest.raises(CannotVerify):
            broken()
    (tmp_path / "empty.txt").write_text("nothing signed")
    with pytest.raises(CannotVerify, match="holds no checkpoint"):
        signed.verify(checkpoints=(tmp_path / "empty.txt",))


def lines_of(records: Sequence[StoredRecord]) -> list[bytes]:
    return [f"{line}\n".encode() for line in LineEncoder().lines(map(stored_text, records))]


LINES = lines_of(LOG)


def verify_lines(signed: Signed, lines: Sequence[bytes], **given_too: object) -> Verdict:
    options = {"key": KEY.public, "checkpoints": (signed.checkpoints,), **given_too}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        path.write_bytes(b"".join(lines))
        return verify_history(path, Given(**options))  # type: ignore[arg-type]


def found_in(signed: Signed, lines: Sequence[bytes], **given_too: object) -> tuple[Kind, int | None]:
    finding = verify_lines(signed, lines, **given_too).finding
    assert finding is not None, "it was found genuine"
    return finding.kind, finding.position


def test_an_untouched_history_is_genuine(signed: Signed) -> None:
    verdict = verify_lines(signed, LINES)
    assert verdict.finding is None
    assert (verdict.events, verdict.proven) == (SIZE, SIZE)


def test_a_history_without_a_checkpoint_is_said_to_hang_on_the_chain_alone(signed: Signed) -> None:
    verdict = verify_lines(signed, LINES, checkpoints=())
    assert verdict.finding is None
    assert verdict.proven == 0
    assert any("no checkpoint" in note for note in verdict.notes)


@many
@given(st.integers(0, SIZE - 1), st.booleans(), st.data())
def test_any_bit_of_a_history(signed: Signed, at: int, bare: bool, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(LINES[at]) * 8 - 1))
    changed = bytearray(LINES[at])
    changed[bit // 8] ^= 1 << bit % 8
    lines = [*LINES[:at], bytes(changed), *LINES[at + 1 :]]
    finding = verify_lines(signed, lines, checkpoints=() if bare else (signed.checkpoints,)).finding
    assert finding is not None
    assert finding.position == at + 1


@many
@given(st.integers(0, SIZE - 2))
def test_lines_dropped_doubled_swapped_and_cut_off(signed: Signed, at: int) -> None:
    assert found_in(signed, LINES[: at + 1]) == (Kind.CUT_OFF, at + 2)
    assert found_in(signed, [*LINES[:at], *LINES[at + 1 :]]) == (Kind.DROPPED, at + 1)
    assert found_in(signed, [*LINES[: at + 1], *LINES[at:]]) == (Kind.ADDED, at + 2)
    assert found_in(signed, [*LINES[:at], LINES[at + 1], LINES[at], *LINES[at + 2 :]]) == (Kind.MOVED, at + 1)


@many
@given(st.integers(0, SIZE - 1), st.integers(0, 600))
def test_a_history_rewritten_with_all_its_hashes(signed: Signed, at: int, bit: int) -> None:
    changed = with_bit_flipped(LOG[at], "actor", bit)
    lines = lines_of(rechained([*LOG[:at], changed, *LOG[at + 1 :]]))
    assert found_in(signed, lines) == (Kind.CHANGED, at + 1)
    kind, position = found_in(signed, lines, checkpoints=(signed.bare,))
    assert (kind, position) == (Kind.CHANGED, at // 20 * 20 + 1), "without the leaves, the checkpoints bracket it"
