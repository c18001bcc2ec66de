"""Blobs: found by their hash, unreadable in the database, gone with their key."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from adapters.blobs.keys import KEY_FILE, BlobKeyProblem, blob_key
from adapters.blobs.sealing import NotOpened, new_key
from adapters.blobs.store import NOBODY, BlobGone, BlobStore
from adapters.ids import uuid7
from adapters.postgres.connections import Database
from shared.settings import Settings, SettingsInvalid, from_environment

TEXT = b"def secret():\n    return 'a line that must not be found'\n"
KEY = new_key()
HASH = sha256(TEXT).hexdigest()


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A database of its own."""
    database = Database(postgres_url)
    await database.open()
    yield database
    await database.close()


async def test_content_is_found_by_its_hash_and_owner(database: Database) -> None:
    blobs, owner = BlobStore(database, lambda: KEY), uuid7()
    assert await blobs.put(owner, "source", TEXT) == HASH
    assert await blobs.put(owner, "source", TEXT) == HASH
    assert await blobs.get(owner, HASH) == TEXT
    assert await blobs.has(owner, HASH)
    with pytest.raises(BlobGone):
        await blobs.get(uuid7(), HASH)


async def test_nothing_of_it_is_readable_in_the_database(database: Database, postgres_url: str) -> None:
    await BlobStore(database, lambda: KEY).put(NOBODY, "source", TEXT)
    with psycopg.connect(postgres_url) as connection:
        stored = connection.execute("SELECT c.sealed, k.sealed FROM blobs.content c JOIN blobs.keys k USING (sha256)")
        for sealed, key in stored.fetchall():
            assert b"secret" not in sealed
            assert KEY not in key


async def test_another_key_and_changed_content_do_not_open(database: Database, postgres_url: str) -> None:
    blobs = BlobStore(database, lambda: KEY)
    await blobs.put(NOBODY, "source", TEXT)
    with pytest.raises(NotOpened):
        await BlobStore(database, new_key).get(NOBODY, HASH)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE blobs.content SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)")
    with pytest.raises(NotOpened):
        await blobs.get(NOBODY, HASH)


async def test_a_dropped_key_takes_the_content_with_it(database: Database, postgres_url: str) -> None:
    blobs = BlobStore(database, lambda: KEY)
    await blobs.put(NOBODY, "source", TEXT)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DELETE FROM blobs.keys")
    assert not await blobs.has(NOBODY, HASH)
    with pytest.raises(BlobGone):
        await blobs.get(NOBODY, HASH)
    await blobs.put(NOBODY, "source", TEXT)
    assert await blobs.get(NOBODY, HASH) == TEXT


async def test_only_what_is_old_is_dropped_and_templates_never(database: Database, postgres_url: str) -> None:
    blobs = BlobStore(database, lambda: KEY)
    await blobs.put(NOBODY, "source", TEXT)
    await blobs.put(NOBODY, "source", b"new")
    await blobs.put(NOBODY, "prompt", b"kept")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE blobs.content SET kept_at = now() - interval '40 days' WHERE sha256 <> sha256('new')"
        )
    before = datetime.now(UTC) - timedelta(days=30)
    assert (await blobs.expired("source", before)).blobs == 1
    assert await blobs.drop("source", before) == 1
    assert not await blobs.has(NOBODY, HASH)
    assert await blobs.has(NOBODY, sha256(b"new").hexdigest())
    assert await blobs.has(NOBODY, sha256(b"kept").hexdigest())


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    key = blob_key(settings)
    assert blob_key(settings) == key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(BlobKeyProblem, match="chmod 600"):
        blob_key(settings)
    given = base64.b64encode(KEY).decode()
    assert blob_key(Settings(data_dir=str(tmp_path), blob_key=given)) == KEY


def test_a_start_with_a_bad_key_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        from_environment({"HIVESYNC_BLOB_KEY": "dG9vIHNob3J0"}, lambda path: "")
    assert "32 random bytes" in str(refused.value)
    assert "dG9vIHNob3J0" not in str(refused.value)
