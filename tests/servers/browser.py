"""A Chromium for the tests: the machine's own, or installed once by the means that this user has."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""How the tests start it: without a sandbox, which root and containers cannot have, and without traffic of its own."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PLACES = (
    Path("/usr/bin/chromium"),
    Path("/snap/bin/chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
_TIMEOUT_S = 600
_CACHE = Path(sys.prefix) / "chromium"

# An npm package that carries a headless Chromium for x86-64 Linux and the libraries that small systems lack.
_PACKAGE = "@sparticuz/chromium@153.0.0"
_PACKAGE_SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
_UNPACK_BROTLI = (
    "const fs=require('fs'),z=require('zlib'),[,s,t]=process.argv;"
    "fs.createReadStream(s).pipe(z.createBrotliDecompress()).pipe(fs.createWriteStream(t))"
)


class NoBrowser(RuntimeError):
    """There is no Chromium and none could be installed; the message names the remedy."""


def find_chromium() -> Path | None:
    """A Chromium that starts here, or None."""
    named = [Path(found) for name in _NAMES if (found := shutil.which(name))]
    return next((path for path in [*named, *_PLACES, _CACHE / "chromium"] if _runs(path)), None)


def ensure_chromium() -> Path:
    """A Chromium that starts here, installed when there is none. Raises NoBrowser with the cause when that fails."""
    found = find_chromium()
    if found is not None:
        return found
    problems: list[str] = []
    with Path(sys.prefix, "chromium.lock").open("ab") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        for install in (_install_with_apt, _install_with_npm):
            found = find_chromium()
            if found is not None:
                return found
            try:
                install()
            except (OSError, subprocess.SubprocessError, NoBrowser) as error:
                said = getattr(error, "stdout", None) or b""
                problems.append(f"{error} {said.decode(errors='replace')[-600:]}".strip())
        found = find_chromium()
    if found is None:
        raise NoBrowser(
            "The browser tests need Chromium, and it could not be installed. Install the package `chromium` of your system "
            "(Debian: apt-get install chromium) and run the tests again. What was tried:\n" + "\n".join(problems)
        )
    return found


def _runs(path: Path) -> bool:
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return ran.returncode == 0 and b"Chrom" in ran.stdout


def _install_with_apt() -> None:
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        raise NoBrowser("apt-get: only root on Debian can install it so")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        _run([apt, "-q", *arguments], environment)


def _install_with_npm() -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None or sys.platform != "linux" or platform.machine() != "x86_64":
        raise NoBrowser("npm: needs node and npm on x86-64 Linux")
    staging = Path(tempfile.mkdtemp(prefix="chromium-", dir=_CACHE.parent))
    try:
        # A home and a cache of its own: an account such as nobody has none.
        environment = {**os.environ, "HOME": str(staging), "npm_config_cache": str(staging / "npm")}
        environment.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
        _run([npm, "pack", "--silent", "--pack-destination", str(staging), _PACKAGE], environment)
        archive = next(staging.glob("*.tgz"))
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != _PACKAGE_SHA512:
            raise NoBrowser(f"npm: {_PACKAGE} differs from what this file pins")
        _unpack(archive, staging, node, environment)
        shutil.rmtree(_CACHE, ignore_errors=True)
        (staging / "done").rename(_CACHE)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack(archive: Path, staging: Path, node: str, environment: dict[str, str]) -> None:
    done = staging / "done"
    done.mkdir()
    with tarfile.open(archive) as package:
        _extract(package, staging)
    packed = staging / "package" / "bin"
    _run([node, "-e", _UNPACK_BROTLI, str(packed / "chromium.br"), str(done / "headless-chromium")], environment)
    for name in ("al2023", "swiftshader", "fonts"):
        _run([node, "-e", _UNPACK_BROTLI, str(packed / f"{name}.tar.br"), str(staging / f"{name}.tar")], environment)
        with tarfile.open(staging / f"{name}.tar") as libraries:
            _extract(libraries, done)
    (done / "headless-chromium").chmod(0o755)
    start = done / "chromium"
    # The system's own libraries come first; the package's stand in for what is missing.
    start.write_text(
        "#!/bin/sh\n"
        'here=$(dirname "$(readlink -f "$0")")\n'
        '[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_PATH="$here"\n'
        'LD_LIBRARY_PATH="/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu:$here/lib:$here" exec "$here/headless-chromium" "$@"\n'
    )
    start.chmod(0o755)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    # Pinned by its hash; Python 3.11.2 has no extraction filter yet.
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=_TIMEOUT_S, check=True,
    )  # fmt: skip
