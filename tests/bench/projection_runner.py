"""The stock library's ProjectionRunner keeping the same board: the same `apply`, the same tables, one transaction an event."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import EnvType
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from hivesync_core.eventstore.application import HiveSyncApplication
from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.engine.readmodel import Table
from projections.engine.rows import Rows

SCHEMA = "library_board"


class BoardView(PostgresTrackingRecorder):
    """The board's tables, and the library's tracking beside them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._model = Board()
        self._rows = Rows(self._model)

    def process(self, recorded: Recorded, tracking: Tracking) -> None:
        """Apply one event, and write what it changed with its position in one transaction."""
        rows = self._rows
        with self.datastore.transaction(commit=True) as cursor:
            if type(recorded.event) in self._model.events:
                self._load(cursor, recorded)
                rows.position = recorded.position
                self._model.apply(recorded, rows)
                for table_rows in rows.tables.values():
                    table = table_rows.table
                    for held in table_rows.changed.values():
                        cursor.execute(_upsert(table), table.values(held), prepare=True)
                    for replaced in table_rows.replaced:
                        cursor.execute(_keep(table), table.history_values(replaced), prepare=True)
                rows.written(0)
            self._insert_tracking(cursor, tracking)

    def _load(self, cursor: Any, recorded: Recorded) -> None:
        for table_rows in self._rows.keyed:
            table = table_rows.table
            if table.loaded_for is None or type(recorded.event) in table.loaded_for:
                query = f"SELECT doc, valid_from FROM {SCHEMA}.{table.name} WHERE {table.key} = %s"
                found = cursor.execute(query, (recorded.stream_id,), prepare=True).fetchone()
                if found is not None:
                    table_rows.load(recorded.stream_id, found["doc"], found["valid_from"])
            table_rows.absent(recorded.stream_id)


class BoardProjection(Projection[BoardView]):
    """Hands each event to the view."""

    name = "board"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Process one event."""
        self.view.process(domain_event, tracking)


def rate_of_library(url: str, events: int) -> float:
    """Events a second of the library's runner over the first ``events`` of the log."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        for table in Board.tables:
            for statement in (*table.table_ddl(SCHEMA), *table.index_ddl(SCHEMA)):
                connection.execute(statement.encode())

    class LogApplication(HiveSyncApplication):
        """The application over the bench's log."""

        def __init__(self, env: EnvType | None = None) -> None:
            super().__init__(HiveSyncRecorder(HiveSyncDatastore(url)))

    given = conninfo_to_dict(url)
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given["password"]),
    }
    began = time.perf_counter()
    runner = ProjectionRunner(
        application_class=LogApplication, projection_class=BoardProjection, view_class=BoardView, env=environment
    )
    with runner:
        runner.wait(events, timeout=3_600)
        took = time.perf_counter() - began
    return events / took


def _upsert(table: Table[Any]) -> str:
    changes = ", ".join(f"{column} = excluded.{column}" for column in table.columns if column != table.key)
    places = ", ".join(["%s"] * len(table.columns))
    return (
        f"INSERT INTO {SCHEMA}.{table.name} ({', '.join(table.columns)}) VALUES ({places}) "
        f"ON CONFLICT ({table.key}) DO UPDATE SET {changes}"
    )


def _keep(table: Table[Any]) -> str:
    columns = table.history_columns
    return (
        f"INSERT INTO {SCHEMA}.{table.name}_history ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
    )
