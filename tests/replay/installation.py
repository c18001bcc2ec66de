"""An installation whose read models have seen a small log, the command, and looks into the tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import psycopg

from projections.board import Board
from tests.projections.stories import many_tasks
from tests.projections.support import contents, database, run

LOG = many_tasks(8, comments=60)
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from adapters.cli.main import main; sys.exit(main(sys.argv[1:]))",
    "replay",
]

Answer = Callable[..., tuple[int, dict[str, Any]]]


def sql(url: str, statement: str, *params: Any) -> list[Any]:
    """What no command would do or ask."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), params or None)
        return cursor.fetchall() if cursor.description else []


def board_of(url: str, schema: str = "readmodel") -> Any:
    """The rows of the board."""

    async def read() -> Any:
        async with database(url) as pool:
            return await contents(pool, Board(), schema)

    return run(read)
