"""Checkpoints are signed as the log grows, kept outside too, and never for a log that was rewritten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from adapters.proof.keeper import NothingToSign, OtherKey
from adapters.proof.outside import Outside, opened_notes
from adapters.proof.tree_store import LogRewritten
from hivesync_core.proof.checkpoint import open_checkpoint
from hivesync_core.proof.note import SigningKey
from hivesync_core.proof.proofs import consistency_proof, inclusion_proof, is_consistent, is_included
from hivesync_core.proof.tiles import split_hashes
from hivesync_core.proof.tree import root_of
from tests.proof.events import KEY, leaves_of, make_log, rechained, with_bit_flipped
from tests.proof.store import keeper_of, store, tamper

LOG = make_log(1_300)
LEAVES = leaves_of(LOG)


async def test_a_checkpoint_says_size_root_and_last_hash_of_the_log(any_postgres_url: str, tmp_path: Path) -> None:
    store(any_postgres_url, LOG)
    async with keeper_of(any_postgres_url, tmp_path) as keeper:
        signed = await keeper.sign()
    assert signed is not None
    assert signed.checkpoint.size == len(LOG)
    assert signed.checkpoint.root == root_of(LEAVES)
    assert signed.checkpoint.chain_head == LOG[-1].hash
    assert open_checkpoint(signed.note, KEY.public) == signed


async def test_an_empty_log_has_no_checkpoint(postgres_url: str, tmp_path: Path) -> None:
    async with keeper_of(postgres_url, tmp_path) as keeper:
        assert await keeper.sign() is None
        assert await keeper.newest() is None
        with pytest.raises(NothingToSign):
            await keeper.checkpoint_for(1)


async def test_the_log_is_signed_again_only_when_it_has_grown(postgres_url: str, tmp_path: Path) -> None:
    async with keeper_of(postgres_url, tmp_path) as keeper:
        for upto in (1, 255, 256, 257, 1_300):
            known = await keeper.newest()
            store(postgres_url, LOG[known.checkpoint.size if known else 0 : upto])
            signed = await keeper.sign()
            assert signed is not None
            assert signed.checkpoint.root == root_of(LEAVES[:upto])
            assert await keeper.sign() == signed
        assert keeper.signed == 5
        assert (await keeper.checkpoint_for(250)).checkpoint.size == 255
        assert (await keeper.checkpoint_for(258)).checkpoint.size == 1_300
        with pytest.raises(NothingToSign):
            await keeper.checkpoint_for(1_301)
    kept = opened_notes((tmp_path / "checkpoints" / "checkpoints.txt").read_text(), KEY.public)
    assert [one.checkpoint.size for one in kept] == [1, 255, 256, 257, 1_300]
    assert split_hashes((tmp_path / "checkpoints" / "leaves.sha256").read_bytes()) == LEAVES


async def test_the_stored_tree_proves_every_event_and_every_earlier_checkpoint(
    postgres_url: str, tmp_path: Path
) -> None:
    store(postgres_url, LOG)
    async with keeper_of(postgres_url, tmp_path) as keeper:
        signed = await keeper.sign()
        assert signed is not None
        size, root = signed.checkpoint.size, signed.checkpoint.root
        for index in (0, 1, 255, 256, 700, size - 1):
            proof = await keeper.tree.answer(lambda source, at=index: inclusion_proof(at, size, source))
            assert is_included(LEAVES[index], index, size, proof, root)
            proof = await keeper.tree.answer(lambda source, at=index: consistency_proof(at, size, source))
            assert is_consistent(index, size, root_of(LEAVES[:index]), root, proof)


async def test_two_processes_sign_one_log(postgres_url: str, tmp_path: Path) -> None:
    store(postgres_url, LOG)
    async with keeper_of(postgres_url, tmp_path) as one, keeper_of(postgres_url, tmp_path) as other:
        signed = await asyncio.gather(*(keeper.sign() for keeper in (one, other, one, other)))
        assert {one.checkpoint.root for one in signed if one} == {root_of(LEAVES)}
    assert split_hashes((tmp_path / "checkpoints" / "leaves.sha256").read_bytes()) == LEAVES


async def rewritten_after_signing(url: str, data_dir: Path, statement: str, *params: object) -> str:
    """Tamper with a signed log, let it grow, and give the alarm with which signing it again is refused."""
    store(url, LOG[:1_000])
    async with keeper_of(url, data_dir) as keeper:
        await keeper.sign()
        before = await keeper.newest()
        assert tamper(url, statement, params) > 0
        with pytest.raises(LogRewritten):
            await keeper.sign()
        await keeper.keep_signing()
        assert await keeper.newest() == before
        return keeper.alarm


async def test_a_log_that_was_cut_off_is_not_signed(postgres_url: str, tmp_path: Path) -> None:
    alarm = await rewritten_after_signing(
        postgres_url, tmp_path, "DELETE FROM eventlog.events WHERE notification_id > %s", 990
    )
    assert "event 1000 is gone" in alarm


async def test_a_log_whose_hashes_were_recomputed_is_not_signed(postgres_url: str, tmp_path: Path) -> None:
    rewritten = rechained([with_bit_flipped(LOG[499], "state", 77), *LOG[500:]], LOG[498].hash)
    store(postgres_url, LOG[:1_000])
    async with keeper_of(postgres_url, tmp_path) as keeper:
        await keeper.sign()
        tamper(postgres_url, "DELETE FROM eventlog.events WHERE notification_id >= 500")
        store(postgres_url, rewritten)
        with pytest.raises(LogRewritten, match="event 1000 has another hash"):
            await keeper.sign()


async def test_events_that_do_not_follow_are_not_signed(postgres_url: str, tmp_path: Path) -> None:
    store(postgres_url, LOG)
    tamper(postgres_url, "UPDATE eventlog.events SET actor = 'system' WHERE notification_id = 700")
    async with keeper_of(postgres_url, tmp_path) as keeper:
        with pytest.raises(LogRewritten, match="event 700 was changed"):
            await keeper.sign()
        tamper(postgres_url, "DELETE FROM eventlog.events WHERE notification_id = 700")
        with pytest.raises(LogRewritten, match="event 700 is gone"):
            await keeper.sign()


async def test_a_rewritten_log_is_not_signed_though_tree_and_checkpoints_went_with_it(
    postgres_url: str, tmp_path: Path
) -> None:
    rewritten = rechained([with_bit_flipped(LOG[499], "state", 77), *LOG[500:]], LOG[498].hash)
    store(postgres_url, LOG[:1_000])
    async with keeper_of(postgres_url, tmp_path) as keeper:
        await keeper.sign()
        tamper(postgres_url, "DELETE FROM eventlog.events WHERE notification_id >= 500")
        tamper(postgres_url, "DELETE FROM proof.tiles")
        tamper(postgres_url, "DELETE FROM proof.checkpoints")
        store(postgres_url, rewritten)
        with pytest.raises(LogRewritten):
            await keeper.sign()
        assert await keeper.newest() is None


async def test_a_damaged_tree_is_made_again_from_the_log(postgres_url: str, tmp_path: Path) -> None:
    store(postgres_url, LOG[:1_000])
    for damage in (
        "UPDATE proof.tiles SET hashes = overlay(hashes placing sha256('') from 33) WHERE level = 1",
        "UPDATE proof.tiles SET hashes = overlay(hashes placing sha256('') from 33) WHERE level = 0 AND number = 3",
        "DELETE FROM proof.tiles WHERE level = 1",
        "DELETE FROM proof.tiles WHERE level = 0 AND number = 3",
        "DELETE FROM proof.tiles",
    ):
        async with keeper_of(postgres_url, tmp_path) as keeper:
            await keeper.sign()
            assert tamper(postgres_url, damage) > 0
            known = await keeper.newest()
            assert known is not None
            at = known.checkpoint.size
            store(postgres_url, LOG[at : at + 60])
            signed = await keeper.sign()
            assert signed is not None
            assert (signed.checkpoint.size, signed.checkpoint.root) == (at + 60, root_of(LEAVES[: at + 60]))
            assert keeper.alarm == ""


async def test_another_key_does_not_go_on_where_the_first_one_signed(postgres_url: str, tmp_path: Path) -> None:
    store(postgres_url, LOG[:10])
    async with keeper_of(postgres_url, tmp_path / "one") as keeper:
        await keeper.sign()
    store(postgres_url, LOG[10:20])
    async with keeper_of(postgres_url, tmp_path / "two", SigningKey(KEY.name, bytes(32))) as stranger:
        with pytest.raises(OtherKey, match="HIVESYNC_SIGNING_KEY"):
            await stranger.sign()


async def test_a_checkpoint_half_written_by_a_crash_is_cut_off(postgres_url: str, tmp_path: Path) -> None:
    file, leaves = tmp_path / "checkpoints" / "checkpoints.txt", tmp_path / "checkpoints" / "leaves.sha256"
    async with keeper_of(postgres_url, tmp_path) as keeper:
        store(postgres_url, LOG[:10])
        await keeper.sign()
        whole = file.read_text()
        for number, torn in enumerate(("log.example/hive", f"{whole[:-30]}", whole.rpartition("— ")[0]), 1):
            file.write_text(whole + torn)
            leaves.write_bytes(leaves.read_bytes() + b"torn")
            store(postgres_url, LOG[10 * number : 10 * number + 10])
            await keeper.sign()
            sizes = [one.checkpoint.size for one in opened_notes(file.read_text(), KEY.public)]
            assert sizes == list(range(10, 10 * number + 20, 10))
            whole = file.read_text()
            assert split_hashes(leaves.read_bytes()) == LEAVES[: 10 * number + 10]


async def test_a_node_with_an_empty_folder_fills_it_from_the_database(postgres_url: str, tmp_path: Path) -> None:
    store(postgres_url, LOG[:300])
    async with keeper_of(postgres_url, tmp_path / "one") as keeper:
        signed = await keeper.sign()
    async with keeper_of(postgres_url, tmp_path / "two") as keeper:
        assert await keeper.sign() == signed
    assert Outside(tmp_path / "two").newest(KEY.public) == signed
    assert Outside(tmp_path / "two").leaves_kept() == 300


def test_the_server_may_not_change_the_log_but_may_throw_the_tree_away(postgres_url: str) -> None:
    store(postgres_url, LOG[:3])
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SET ROLE hivesync_app")
        connection.execute("DELETE FROM proof.tiles")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM eventlog.events")


async def test_after_a_restore_that_lost_events_signing_goes_on_when_the_old_checkpoints_are_moved_away(
    postgres_url: str, tmp_path: Path
) -> None:
    async with keeper_of(postgres_url, tmp_path) as keeper:
        store(postgres_url, LOG[:600])
        await keeper.sign()
        backup = [backup_of(postgres_url, table) for table in ("proof.tiles", "proof.checkpoints")]
        store(postgres_url, LOG[600:1_000])
        await keeper.sign()
        tamper(postgres_url, "DELETE FROM eventlog.events WHERE notification_id > 600")
        for table, rows in zip(("proof.tiles", "proof.checkpoints"), backup, strict=True):
            put_back(postgres_url, table, rows)
        with pytest.raises(LogRewritten, match="it was cut off"):
            await keeper.sign()
        (tmp_path / "checkpoints").rename(tmp_path / "checkpoints before the restore")
        store(postgres_url, rechained(LOG[600:650], LOG[599].hash))
        signed = await keeper.sign()
        assert signed is not None
        assert signed.checkpoint.size == 650
        assert keeper.alarm == ""


def backup_of(url: str, table: str) -> list[tuple[object, ...]]:
    """What a backup would hold of a table."""
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT * FROM {table}".encode()).fetchall()


def put_back(url: str, table: str, rows: list[tuple[object, ...]]) -> None:
    """Restore a table as it was."""
    with psycopg.connect(url) as connection:
        connection.execute(f"DELETE FROM {table}".encode())
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES (%s, %s, %s)".encode(), row)
