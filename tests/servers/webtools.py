"""The tools that check the browser client, installed once as its lock file pins them; they need Node and npm."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CLIENT = Path(__file__).parents[2] / "adapters" / "clients" / "web"
_TIMEOUT_S = 300


def has_npm() -> bool:
    """Whether this machine can install and run them."""
    return shutil.which("npm") is not None and shutil.which("node") is not None


def node_modules(package: Path = CLIENT) -> Path:
    """The folder with the packages that ``package``'s lock file pins; raises ``CalledProcessError`` where npm fails."""
    pinned = (package / "package-lock.json").read_bytes()
    home = Path(sys.prefix) / f"web-tools-{hashlib.sha256(pinned).hexdigest()[:12]}"
    with Path(sys.prefix, "web-tools.lock").open("ab") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not home.exists():
            _install(package, home)
    return home / "node_modules"


def _install(package: Path, home: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix="web-tools-", dir=home.parent))
    try:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            if (package / name).exists():
                shutil.copy(package / name, staging)
        # A home and a cache of its own: an account such as nobody has none.
        environment = {**os.environ, "HOME": str(staging), "npm_config_cache": str(staging / ".npm")}
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=staging, env=environment, check=True, timeout=_TIMEOUT_S, capture_output=True)
        # Some packages bring builds for every platform, of which none is used here.
        for unused in [staging / ".npm", *staging.glob("node_modules/**/prebuilds")]:
            shutil.rmtree(unused, ignore_errors=True)
        staging.rename(home)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
