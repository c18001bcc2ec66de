"""`hivesync serve` with a clock that is read from a file: for machines without libfaketime."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

OFFSET_FILE = "HIVESYNC_FAULTS_CLOCK"

_true_time = time.time


def _offset_s() -> int:
    return int(Path(os.environ[OFFSET_FILE]).read_text(encoding="ascii"))


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=_offset_s())


if __name__ == "__main__":
    # Before anything of the server is imported: its parts take these two with them.
    time.time = lambda: _true_time() + _offset_s()
    import adapters.ids

    adapters.ids.now = _now
    from adapters.cli.main import main

    sys.exit(main(["serve"]))
