"""`hivesync serve` on a database that may lose what it acknowledges: the negative control of the harness.

The real server refuses such a database. Here that check alone is left out.
"""

from __future__ import annotations

import sys

import adapters.main
from adapters.cli.main import main


def _allow_everything(url: str) -> None:
    """The check that this program leaves out."""


if __name__ == "__main__":
    adapters.main.check_durability = _allow_everything  # type: ignore[attr-defined]
    sys.exit(main(["serve"]))
