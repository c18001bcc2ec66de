"""An installation for the commands that replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.main import main
from tests.projections.support import build_up, database, run, store
from tests.replay.installation import LOG, Answer


@pytest.fixture
def url(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installation whose read models have seen its log."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("HIVESYNC_DATA_DIR", str(tmp_path))
    store(postgres_url, LOG)

    async def project() -> None:
        async with database(postgres_url) as pool:
            await build_up(pool)

    run(project)
    return postgres_url


@pytest.fixture
def answer(url: str, capsys: pytest.CaptureFixture[str]) -> Answer:
    """Runs a command and gives its exit code and its JSON."""

    def run_command(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = main(["replay", *arguments, "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out)

    return run_command
