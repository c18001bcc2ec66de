"""What a start costs: a process that serves imports what it serves with, and nothing that others do for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MADE = """
import json, sys
from adapters.cli.serve import http_config
from adapters.main import build
from shared.settings import Settings
http_config(build(Settings(database_url="postgresql:///nowhere", data_dir=sys.argv[1])))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} | sys.modules.keys())))
"""

NOT_NEEDED = {
    "pydantic": "Litestar's plugin for models that we have none of",
    "openai": "imported with the first question to a model",
    "hivesync_core.comments.checking": "comments are checked in processes of their own",
    "tree_sitter": "the same",
    "html5lib": "the same",
    "opentelemetry.exporter": "imported where traces are sent",
    "adapters.postgres.embedded": "imported where the database is our own",
    "hypothesis": "for tests",
    "pytest": "for tests",
}


def test_a_server_is_made_without_what_it_does_not_need(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MADE, str(tmp_path)]
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    imported = set(ran.stdout.split('"'))
    assert {"litestar", "adapters.main", "hivesync_core.comments"} <= imported
    assert {name: why for name, why in NOT_NEEDED.items() if name in imported} == {}
