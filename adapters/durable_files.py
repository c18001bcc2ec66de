"""Files that a crash leaves whole: keys of this installation, made once and readable by their owner alone; folders."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class ReadableByOthers(Exception):
    """Others than its owner may read the file; the message says what to do."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can be read by others than its owner: chmod 600 it, or replace the key")


def kept_key(path: Path, make: Callable[[], str]) -> str:
    """What the file holds, made with what ``make`` gives where there is none yet.

    Several processes may do it at once: all are given the same. Raises ``ReadableByOthers``, ``OSError`` and
    ``UnicodeDecodeError``.
    """
    if not path.exists():
        _write_once(path, make() + "\n")
    if path.stat().st_mode & 0o077:
        raise ReadableByOthers(path)
    return path.read_text(encoding="utf-8").strip()


def _write_once(path: Path, text: str) -> None:
    """Write the file unless another process was faster; a crash leaves no half of it under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        temporary.unlink()


def sync_folder(folder: Path) -> None:
    """Make durable that a file was made in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
