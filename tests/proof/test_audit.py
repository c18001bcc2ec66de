"""Whatever is done to a log, the audit finds it and names the first event concerned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hivesync_core.eventstore.records import GENESIS_HASH, StoredRecord
from hivesync_core.proof.audit import Audit, Audited
from hivesync_core.proof.evidence import Claim, Row, open_ended
from hivesync_core.proof.finding import Kind
from hivesync_core.proof.tree import Peaks, root_of
from tests.proof.events import (
    FIELDS,
    checkpoint_at,
    leaves_of,
    make_log,
    rechained,
    renumbered,
    rows_of,
    with_bit_flipped,
)

SIZE = 60
LOG = make_log(SIZE)
LEAVES = leaves_of(LOG)
STRANGER = make_log(2, seed=7)[1]
"""An event of another log, whose hash follows from none of this one."""
CHECKPOINTS = [checkpoint_at(LOG, size).checkpoint for size in (20, 40, SIZE)]

MEASURES = ["chain", "checkpoints", "leaves"]
"""What the audit has: nothing but the hashes in the log, or signed checkpoints too, or also every leaf of the tree."""


def audit(records: Sequence[StoredRecord], measure: str, **given_too: object) -> Audited:
    rows = rows_of(records)
    portions = [rows[start : start + 7] for start in range(0, len(rows), 7)]
    known = [Claim(place, leaf) for place, leaf in enumerate(LEAVES, 1)] if measure == "leaves" else []
    checkpoints = [] if measure == "chain" else CHECKPOINTS
    options = {"bounded": False, "chain_before": GENESIS_HASH, "tree": Peaks(), "checkpoints": checkpoints}
    return Audit(open_ended(known), **{**options, **given_too}).run(portions)


def found(records: Sequence[StoredRecord], measure: str, **given_too: object) -> tuple[Kind, int | None]:
    finding = audit(records, measure, **given_too).finding
    assert finding is not None
    assert finding.message
    return finding.kind, finding.position


@pytest.mark.parametrize("measure", MEASURES)
def test_an_untouched_log_is_found_whole(measure: str) -> None:
    audited = audit(LOG, measure)
    assert audited.finding is None
    assert (audited.events, audited.last_position) == (SIZE, SIZE)
    assert audited.proven == (0 if measure == "chain" else SIZE)
    assert audited.chain_head == LOG[-1].hash
    assert audited.root == root_of(LEAVES)


@given(st.sampled_from(MEASURES), st.sampled_from(FIELDS), st.integers(0, SIZE - 1), st.integers(0, 10_000))
def test_any_bit_of_any_field_of_any_event(measure: str, field: str, at: int, bit: int) -> None:
    changed = with_bit_flipped(LOG[at], field, bit)
    assert changed != LOG[at]
    kind, position = found([*LOG[:at], changed, *LOG[at + 1 :]], measure)
    assert position == at + 1
    if field != "id":
        assert kind is Kind.CHANGED


@given(st.sampled_from(MEASURES), st.integers(0, SIZE - 2), st.integers(1, 5))
def test_dropped_events(measure: str, at: int, count: int) -> None:
    records = [*LOG[:at], *LOG[at + count :]]
    if at + count < SIZE:
        assert found(records, measure) == (Kind.DROPPED, at + 1)
    else:
        assert found(records, measure, at_least=SIZE) == (Kind.CUT_OFF, at + 1)


@given(st.sampled_from(MEASURES), st.integers(0, SIZE - 1), st.data())
def test_an_event_added_with_any_position(measure: str, at: int, data: st.DataObject) -> None:
    position = data.draw(st.one_of(st.just(at + 1), st.integers(1, SIZE)))
    extra = replace(STRANGER, id=position)
    assert found([*LOG[:at], extra, *LOG[at:]], measure) == (Kind.ADDED, at + 1)


@pytest.mark.parametrize("measure", MEASURES)
def test_an_event_doubled(measure: str) -> None:
    for at in range(SIZE - 1):
        assert found([*LOG[: at + 1], LOG[at], *LOG[at + 1 :]], measure) == (Kind.ADDED, at + 2)


@given(st.sampled_from(MEASURES), st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_two_events_that_changed_places(measure: str, one: int, other: int) -> None:
    first, second = sorted((one, other))
    assume(first != second)
    records = list(LOG)
    records[first], records[second] = records[second], records[first]
    assert found(records, measure) == (Kind.MOVED, first + 1)


@given(st.sampled_from(MEASURES), st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_an_event_moved_up_or_down(measure: str, old: int, new: int) -> None:
    assume(old != new)
    records = list(LOG)
    records.insert(new, records.pop(old))
    assert found(records, measure) == (Kind.MOVED, min(old, new) + 1)


@pytest.mark.parametrize("measure", ["checkpoints", "leaves"])
def test_a_log_cut_off_at_the_end_is_found_by_its_checkpoint(measure: str) -> None:
    for size in range(SIZE):
        assert found(LOG[:size], measure) == (Kind.CUT_OFF, size + 1)


def test_a_log_cut_off_at_the_end_is_found_by_what_it_must_reach() -> None:
    assert audit(LOG[:50], "chain").finding is None
    assert found(LOG[:50], "chain", at_least=51) == (Kind.CUT_OFF, 51)
    assert audit(LOG[:50], "chain", at_least=50).finding is None


@given(
    st.sampled_from([field for field in FIELDS if field not in ("id", "hash")]),
    st.integers(0, SIZE - 1),
    st.integers(0, 10_000),
)
def test_a_change_after_which_every_hash_was_recomputed(field: str, at: int, bit: int) -> None:
    records = rechained([*LOG[:at], with_bit_flipped(LOG[at], field, bit), *LOG[at + 1 :]])
    assert audit(records, "chain").finding is None, "the chain alone cannot tell"
    assert found(records, "leaves") == (Kind.CHANGED, at + 1)
    bracket = audit(records, "checkpoints").finding
    assert bracket is not None
    assert bracket.position is not None
    assert bracket.last_position is not None
    assert bracket.position == at // 20 * 20 + 1
    assert bracket.position <= at + 1 <= bracket.last_position
    assert not bracket.exact


@given(st.integers(0, SIZE - 2), st.integers(1, 3))
def test_events_dropped_after_which_everything_was_counted_and_hashed_anew(at: int, count: int) -> None:
    records = rechained(renumbered([*LOG[:at], *LOG[at + count :]]))
    expected = (Kind.DROPPED if at + count < SIZE else Kind.CUT_OFF, at + 1)
    assert found(records, "leaves") == expected
    finding = audit(records, "checkpoints").finding
    assert finding is not None


@given(st.integers(0, SIZE - 1))
def test_an_event_added_after_which_everything_was_counted_and_hashed_anew(at: int) -> None:
    records = rechained(renumbered([*LOG[:at], STRANGER, *LOG[at:]]))
    assert found(records, "leaves") == (Kind.ADDED, at + 1)


@given(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_events_swapped_after_which_everything_was_counted_and_hashed_anew(one: int, other: int) -> None:
    first, second = sorted((one, other))
    assume(first != second)
    records = list(LOG)
    records[first], records[second] = records[second], records[first]
    assert found(rechained(renumbered(records)), "leaves") == (Kind.MOVED, first + 1)


def test_hashes_recomputed_for_some_events_only_hide_nothing_from_known_leaves() -> None:
    records = list(LOG)
    records[10] = with_bit_flipped(LOG[10], "state", 99)
    records[10:25] = rechained(records[10:25], LOG[9].hash)
    assert found(records, "leaves") == (Kind.CHANGED, 11)


def test_events_after_the_checkpoint_hang_on_the_chain() -> None:
    checkpoint = checkpoint_at(LOG, 40).checkpoint
    audited = audit(LOG, "checkpoints", checkpoints=[checkpoint])
    assert (audited.finding, audited.proven, audited.events) == (None, 40, SIZE)
    changed = [*LOG[:50], with_bit_flipped(LOG[50], "actor", 3), *LOG[51:]]
    assert found(changed, "checkpoints", checkpoints=[checkpoint]) == (Kind.CHANGED, 51)


def test_an_older_checkpoint_shown_again_with_a_log_cut_to_it_is_refused_by_what_the_log_must_reach() -> None:
    replayed = [checkpoint_at(LOG, 20).checkpoint]
    assert audit(LOG[:20], "checkpoints", checkpoints=replayed).finding is None
    assert found(LOG[:20], "checkpoints", checkpoints=replayed, at_least=21) == (Kind.CUT_OFF, 21)
    assert found(LOG[:20], "checkpoints", checkpoints=[*replayed, CHECKPOINTS[-1]]) == (Kind.CUT_OFF, 21)


@given(st.sampled_from(MEASURES), st.integers(0, SIZE - 1))
def test_a_line_that_cannot_be_read(measure: str, at: int) -> None:
    rows = rows_of(LOG)
    rows[at] = Row(0, b"", None, at + 1, "no JSON")
    known = [Claim(place, leaf) for place, leaf in enumerate(LEAVES, 1)] if measure == "leaves" else []
    audited = Audit(open_ended(known), bounded=False, chain_before=GENESIS_HASH, tree=Peaks(), checkpoints=[]).run(
        [rows]
    )
    assert audited.finding is not None
    assert (audited.finding.kind, audited.finding.position, audited.finding.place) == (Kind.CHANGED, at + 1, at + 1)


def test_an_empty_log_is_fine_and_not_what_a_checkpoint_signed() -> None:
    assert audit([], "chain").finding is None
    assert found([], "checkpoints") == (Kind.CUT_OFF, 1)


def test_progress_is_told_while_reading() -> None:
    told: list[int] = []
    rows = rows_of(LOG)
    audit_of_all = Audit(open_ended([]), bounded=False, chain_before=GENESIS_HASH, tree=None)
    audit_of_all.run([rows[:30], rows[30:]], told.append)
    assert told == [30, SIZE]
