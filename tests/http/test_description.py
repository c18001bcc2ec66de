"""The API's description against the server: every operation, every check, no 5xx and no status that it does not name."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from adapters.http import reading
from tests.http.harness import RunningServer

EXAMPLES = int(os.environ.get("HIVESYNC_FUZZ_EXAMPLES", "5"))
"""Random requests of each operation, beside those at the edges of what the description allows."""

CONFIG = Path(__file__).with_name("schemathesis.toml")

NOT_TRIED = ("/api/v1/auth/sign-out",)
"""It would take the token away that everything else is tried with."""


PATIENCE_S = 20.0
"""A reader waits so long for a read model: a busy machine is no fault of the server, and each 5xx would be one here."""


async def test_the_server_does_what_its_description_says(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MIN_POSITION_WAIT_S", PATIENCE_S)
    admin = await server.person("admin", is_admin=True)
    await admin.task(await admin.project())
    token = await server.token(admin.account_id)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file",
        str(CONFIG),
        "run",
        f"{server.url}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
        "--checks",
        "all",
        "--max-examples",
        str(EXAMPLES),
        *(part for path in NOT_TRIED for part in ("--exclude-path", path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")[-20_000:]
