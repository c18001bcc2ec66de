"""Rendering and proof of 50 comments in one batch, for real files put together to 1,000 and 10,000 lines."""

from __future__ import annotations

import sysconfig
import time
from pathlib import Path

from hivesync_core.comments import FileRefused, Report, check
from hivesync_core.comments.source_file import open_source
from tests.bench.report import Figure, Target
from tests.bench.report import Report as Measured
from tests.comments.oracles import HERE as ORACLES
from tests.servers.webtools import node_modules

COMMENTS, ROUNDS = 50, 5
SIZES = range(2_000, 60_000)
WANTED_MS = {("python", 1_000): 260, ("python", 10_000): 1_800, ("typescript", 1_000): 120, ("typescript", 10_000): 900,
             ("c", 1_000): 120, ("c", 10_000): 900}  # fmt: skip


def run() -> Measured:
    """The best of some rounds, in wall time and in this process's own time."""
    figures, targets = [], []
    for (language, lines), wanted in WANTED_MS.items():
        source = _source(language, lines)
        wall, own, report = _timed(source, language)
        what = f"{language}, {source.count(bytes([10])):,} lines, {len(report.accepted)} comments"
        figures.append(Figure(f"{what}: processor time", own, "ms"))
        targets.append(Target(what, wall, wanted, "ms", at_most=True))
    return Measured(
        figures,
        targets,
        [
            f"{COMMENTS} comments at even distances, above lines that begin with a token; Python with ast and tokenize as second proofs"
        ],
    )


def _timed(source: bytes, language: str) -> tuple[float, float, Report]:
    file = open_source(source, language)
    first = sorted(
        {
            file.lines.at(start)
            for _, start, _ in file.syntax.tokens
            if not file.source[file.lines.start(file.lines.at(start)) : start].strip()
        }
    )
    comments = [
        {"type": "inline", "line": first[len(first) * number // COMMENTS], "content": f"Explains part {number}."}
        for number in range(COMMENTS)
    ]
    wall = own = float("inf")
    for _ in range(ROUNDS):
        began, began_own = time.perf_counter(), time.process_time()
        report = check(source, language, comments)
        wall = min(wall, 1_000 * (time.perf_counter() - began))
        own = min(own, 1_000 * (time.process_time() - began_own))
    return wall, own, report


def _source(language: str, lines: int) -> bytes:
    """Real files one behind the other; only such as stand at any place of a file."""
    folders = {
        "python": [(Path(sysconfig.get_paths()["stdlib"]), "*.py")],
        "typescript": [(node_modules(ORACLES) / "typescript" / "lib", "lib.*.d.ts")],
        "c": [(Path("/usr/include"), "*.h"), (Path("/usr/include/linux"), "*.h")],
    }[language]
    parts: list[bytes] = []
    count = 0
    for folder, pattern in folders:
        for path in sorted(folder.glob(pattern)):
            content = path.read_bytes()
            if len(content) in SIZES and b"__future__" not in content and _is_whole(content, language):
                parts.append(content + b"\n")
                count += parts[-1].count(b"\n")
                if count >= lines:
                    return b"".join(parts)
    return b"".join(parts * (lines // max(1, count) + 1))


def _is_whole(content: bytes, language: str) -> bool:
    try:
        return open_source(content, language).syntax.errors == 0
    except FileRefused:
        return False
