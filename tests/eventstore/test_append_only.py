"""Stored events stay: the application's role may not change them, and the database refuses it to everybody else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from adapters.postgres.connections import app_conninfo
from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from tests.eventstore import stored
from tests.eventstore.tally import added

CHANGES = (
    "UPDATE eventlog.events SET actor = 'someone else'",
    "UPDATE eventlog.events SET hash = hash WHERE notification_id = 1",
    "DELETE FROM eventlog.events WHERE notification_id = 2",
    "TRUNCATE eventlog.events",
    "INSERT INTO eventlog.events SELECT * FROM eventlog.events WHERE notification_id = 1 "
    "ON CONFLICT (notification_id) DO UPDATE SET actor = 'someone else'",
    "MERGE INTO eventlog.events e USING (SELECT 1) x ON e.notification_id = 1 WHEN MATCHED THEN DELETE",
)


@pytest.fixture
def filled(any_postgres_url: str) -> Iterator[str]:
    """A database with three events."""
    with HiveSyncDatastore(any_postgres_url) as datastore:
        HiveSyncRecorder(datastore).insert_events([added(), added(), added()])
    before = stored.whole_log(any_postgres_url)
    yield any_postgres_url
    assert stored.whole_log(any_postgres_url) == before


def refusal(url: str, statement: str) -> str:
    """How the database refuses a statement."""
    with (
        psycopg.connect(url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege) as refused,
    ):
        connection.execute(statement.encode())
    return str(refused.value)


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_has_no_privilege_to_change_an_event(filled: str, change: str) -> None:
    assert refusal(app_conninfo(filled), change).startswith("permission denied for table events")


@pytest.mark.parametrize("change", CHANGES)
def test_the_owner_of_the_database_is_refused_by_trigger(filled: str, change: str) -> None:
    assert refusal(filled, change).startswith("eventlog.events is append-only")


@pytest.mark.parametrize("change", CHANGES)
def test_a_session_that_replicates_is_refused_by_trigger_too(filled: str, change: str) -> None:
    replica = f"{filled}&options=-c%20session_replication_role%3Dreplica"
    assert refusal(replica, change).startswith("eventlog.events is append-only")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE eventlog.events DISABLE TRIGGER ALL",
        "DROP TABLE eventlog.events",
        "CREATE OR REPLACE FUNCTION eventlog.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "UPDATE eventlog.idempotency_keys SET answer = ''",
    ],
)
def test_the_application_cannot_take_the_guards_away(filled: str, statement: str) -> None:
    assert refusal(app_conninfo(filled), statement)
