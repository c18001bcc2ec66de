"""The client's check, in TypeScript: its tables are the server's, and it says of every case what the server says."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adapters.clients import comment_tables
from hivesync_core.comments import FileRefused, check
from tests.servers.webtools import has_npm, node_modules

PACKAGE = Path(comment_tables.__file__).parent / "comment_check"
CASES = b"".join((Path(__file__).parent / name).read_bytes() for name in ("cases.jsonl", "own_cases.jsonl"))
_TIMEOUT_S = 300


def test_the_tables_of_the_client_are_up_to_date() -> None:
    assert comment_tables.FILE.read_text(encoding="utf-8") == comment_tables.tables(), (
        "run: python -m adapters.clients.comment_tables"
    )


if has_npm():

    @pytest.fixture(scope="module")
    def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
        """What the client says of each case, built from its sources as its lock file pins."""
        folder = tmp_path_factory.mktemp("comment_check")
        shutil.copytree(PACKAGE / "src", folder / "src")
        for name in ("package.json", "tsconfig.json"):
            shutil.copy(PACKAGE / name, folder)
        modules = node_modules(PACKAGE)
        (folder / "node_modules").symlink_to(modules)
        compiler = ["node", str(modules / "typescript" / "bin" / "tsc"), "-p", str(folder)]
        built = subprocess.run(compiler, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        assert built.returncode == 0, built.stdout
        shutil.copy(folder / "src" / "tables.json", folder / "build")
        command = ["node", str(folder / "build" / "judge-cases.js")]
        ran = subprocess.run(command, input=CASES, capture_output=True, timeout=_TIMEOUT_S, check=False)
        assert ran.returncode == 0, ran.stderr.decode()[-2000:]
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def test_the_client_says_of_every_case_what_the_server_says(told: list[dict[str, Any]]) -> None:
        cases = [json.loads(line) for line in CASES.splitlines()]
        differing = []
        for case, client in zip(cases, told, strict=True):
            verdict, tokens, after = _server(case)
            is_left_to_server = client["relies"] and (client["verdict"], verdict) == ("accept", "reject")
            same_file = after is None or client["verdict"] == "reject" or base64.b64decode(client["after"]) == after
            same_tokens = None in (tokens, client["tokens"]) or tokens == client["tokens"]
            if not same_file or not same_tokens or (client["verdict"] != verdict and not is_left_to_server):
                differing.append((case["id"], case["language"], verdict, client["verdict"], client["code"]))
        assert differing == []

    def test_what_the_client_leaves_to_the_server_is_little(told: list[dict[str, Any]]) -> None:
        cases = [json.loads(line) for line in CASES.splitlines()]
        left = [case["id"] for case, client in zip(cases, told, strict=True) if client["verdict"] != case["verdict"]]
        assert len(left) <= len(cases) // 25
        assert sum(client["tokens"] is not None for client in told) >= 80


def _server(case: dict[str, Any]) -> tuple[str, str | None, bytes | None]:
    source = base64.b64decode(case["source_b64"]) if "source_b64" in case else case["source"].encode()
    try:
        report = check(source, case["language"], [case["comment"]])
    except FileRefused:
        return "reject", None, None
    if report.proof is None:
        return "reject", None, None
    return "accept", report.proof.tokens_sha256_before, report.after
