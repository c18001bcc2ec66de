"""`hivesync docs` over 100 files of real repositories, with a server and without: tokens unchanged, HiveSync's own time."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
import tokenize
from pathlib import Path
from typing import Any

from tests.bench.report import Figure, Report, Target, percentile
from tests.bench.server import own_server
from tests.faults.reviewing import ReviewDoor
from tests.faults.servers import ServerProcess
from tests.faults.stage import make_person
from tests.servers.model import Comments, Line, ModelServer, comment

FILES = int(os.environ.get("HIVESYNC_BENCH_FILES", "100"))
LINES_LEAST, LINES_MOST = 20, 3_000
OWN_WANTED_MS = 1_500.0
_ROOT = Path(__file__).parents[2]
_COMMAND = ("-c", "import sys; from adapters.cli.main import main; sys.exit(main(sys.argv[1:]))")
_DEFINITION = re.compile(r"(export )?(default )?(async )?(def|class|function|interface|const|type)\b")


def run() -> Report:
    """The same copies of the same files twice: asked about through a server, and from the command itself."""
    with tempfile.TemporaryDirectory(prefix="hivesync-bench-") as folder, ModelServer(_above_definitions) as model:
        originals = _copied(Path(folder) / "server")
        _copied(Path(folder) / "local")
        served, served_s = _with_server(Path(folder), model)
        local, local_s = _documented(
            Path(folder) / "local", ["--base-url", model.url, "--at-once", "1"], {"OPENAI_API_KEY": "sk-bench"}
        )
        written = [one for one in served + local if one["status"] == "written"]
        changed = [
            name for name, before in originals.items() for place in ("server", "local")
            if not _same_code(name, before, (Path(folder) / place / name).read_bytes())
        ]  # fmt: skip
    own_ms = [one["own_ms"] for one in local if one["status"] == "written"]
    unequal = [one for one in written if one["tokens_sha256_before"] != one["tokens_sha256_after"]]
    other = sorted(
        {f"{one['path']}: {one['message']}" for one in served + local if one["status"] not in ("written", "unchanged")}
    )
    lines = sum(source.count(b"\n") for source in originals.values())
    return Report(
        figures=[
            Figure("files", len(originals), ""),
            Figure("lines", lines, ""),
            Figure("comments inserted, through the server", sum(one["inserted"] for one in served), ""),
            Figure("comments refused, through the server", sum(len(one["refused"]) for one in served), ""),
            Figure("own work a file: check, proof, diff, writing, p50", percentile(own_ms, 0.5), "ms"),
            Figure("the same, p90", percentile(own_ms, 0.9), "ms"),
            Figure("the same, longest", max(own_ms), "ms"),
            Figure("100 files through the server, one after the other's decision", served_s, "s"),
            Figure("the same without a server", local_s, "s"),
        ],
        targets=[
            Target("files written, with a server and without", len(written), 2 * len(originals) * 0.95, "files"),
            Target("files whose code is another", len(changed) + len(unequal), 0, "files", at_most=True),
            Target("own work a file, p90", percentile(own_ms, 0.9), OWN_WANTED_MS, "ms", at_most=True),
        ],
        notes=[
            "the model is a local server that answers at once; Python files also judged by ast and tokenize",
            *other,
        ],
    )


def _with_server(folder: Path, model: ModelServer) -> tuple[list[dict[str, Any]], float]:
    with own_server() as url, ServerProcess("docs", folder, url, OPENAI_API_KEY="sk-bench") as server:
        server.wait_ready()
        person = asyncio.run(_person(url, server.base_url, model.url))
        options = ["--server", server.base_url, "--project", "Faults"]
        return _documented(folder / "server", options, {"HIVESYNC_TOKEN": person.token})


async def _person(url: str, base_url: str, model_url: str) -> Any:
    person = await make_person(url, "bench@example.org", "Ben Marks")
    async with ReviewDoor(base_url, person) as door:
        await door.ask_model(model_url)
    return person


def _documented(folder: Path, options: list[str], environment: dict[str, str]) -> tuple[list[dict[str, Any]], float]:
    """Run the command over every file of a folder; what it told, and how long it took."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, *_COMMAND, "docs", "--yes", "--json", *options, *names],
        cwd=folder, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(_ROOT), **environment},
    )  # fmt: skip
    if ran.returncode not in (0, 3):
        raise RuntimeError(ran.stderr.decode()[-2000:])
    told: list[dict[str, Any]] = json.loads(ran.stdout)["files"]
    return told, time.perf_counter() - began


def _copied(folder: Path) -> dict[str, bytes]:
    """Files of Python's standard library, and of this repository, copied; name and content."""
    library = Path(sysconfig.get_paths()["stdlib"])
    own = sorted(_ROOT.glob("adapters/clients/web/src/**/*.ts*")) + sorted(_ROOT.glob("adapters/**/*.py"))
    chosen: dict[str, bytes] = {}
    for root, files in ((_ROOT, own[: FILES // 3]), (library, sorted(library.glob("*.py")))):
        for path in files:
            content = path.read_bytes()
            if len(chosen) < FILES and LINES_LEAST <= content.count(b"\n") <= LINES_MOST:
                chosen[f"{'own' if root == _ROOT else 'library'}/{path.relative_to(root)}"] = content
    for name, content in chosen.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return chosen


def _same_code(name: str, before: bytes, after: bytes) -> bool:
    """Whether only lines were added; of Python, whether ``ast`` and ``tokenize`` see the same too."""
    left = iter(after.splitlines(keepends=True))
    if not all(line in left for line in before.splitlines(keepends=True)):
        return False
    if not name.endswith(".py"):
        return True
    return ast.dump(ast.parse(before)) == ast.dump(ast.parse(after)) and _tokens(before) == _tokens(after)


def _tokens(source: bytes) -> list[tuple[int, str]]:
    passed_by = (tokenize.COMMENT, tokenize.NL)
    found = tokenize.tokenize(io.BytesIO(source).readline)
    return [(token.type, token.string) for token in found if token.type not in passed_by]


def _above_definitions(lines: list[Line]) -> Comments:
    """A plain comment above each definition at the margin, up to twenty, and one at the top."""
    found = [line for line in lines if _DEFINITION.match(line.text)]
    texts = [
        comment(line.number, f"Part {number} of what this file offers to others.")
        for number, line in enumerate(found[:20], 1)
    ]
    return [comment(1, "Says in one sentence what this file is there for.", "header"), *texts]
