"""Any bit of any stored event, rows dropped, added, swapped or cut off, forged exports: the properties of tests/proof."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.faults.report import Figure, Report, at_least, none_of

PROPERTIES = tuple(f"tests/proof/test_{name}.py" for name in ("audit", "verify_log", "verify_export", "attacks"))
PROPERTIES_SHORT = PROPERTIES[:1]
_EXAMPLES = re.compile(r"(\d+) passing")
_ROOT = Path(__file__).absolute().parents[2]


async def run(seed: int, *, short: bool = False) -> Report:
    """Run the properties with this seed, and count what they tried."""
    with tempfile.TemporaryDirectory(prefix="hivesync-tampering-") as folder:
        results = Path(folder) / "results.xml"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pytest", *(PROPERTIES_SHORT if short else PROPERTIES), "-q", "-p", "no:cacheprovider",
            f"--hypothesis-seed={seed}", "--hypothesis-show-statistics", f"--junitxml={results}",
            cwd=_ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        suites = ET.parse(results).getroot().iter("testsuite")
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        for suite in suites:
            for kind in counts:
                counts[kind] += int(suite.get(kind, 0))
    return Report(
        [
            at_least("properties and examples of tampering", counts["tests"], 15),
            none_of("not found, or found at another position", counts["failures"] + counts["errors"]),
            none_of("properties that did not run", counts["skipped"]),
            none_of("exit code of the run", process.returncode or 0),
        ],
        [
            Figure(
                "changed logs tried by properties", sum(map(int, _EXAMPLES.findall(said.decode(errors="replace")))), ""
            )
        ],
        ["python -m pytest " + " ".join(PROPERTIES_SHORT if short else PROPERTIES)],
    )
