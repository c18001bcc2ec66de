"""Writes what a session shows to a folder: files that are read-only, each put in its place whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from adapters.cli.console import CommandFailed
from adapters.cli.live.picture import Scene
from hivesync_core.live.names import NameRefused, refuse_malformed

MARK: Final = ".hivesync-live"
"""Lies in a folder that was written by this; only there are files of others replaced and removed."""


class Folder:
    """A folder that has what the session shows, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: dict[str, str] = {}
        self._refused: set[str] = set()
        if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not (path / MARK).exists())):
            raise CommandFailed(f"{path} is no empty folder", "Name one that is empty or does not exist.")
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / MARK).touch()
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written: {error.strerror or error}") from error

    def write(self, scene: Scene) -> list[str]:
        """Bring the folder up to date; names that cannot be written here, each once. Raises ``CommandFailed``."""
        refused = []
        try:
            for name, file in scene.files.items():
                digest = f"{file.document.version}:{file.document.sha256}"
                if name in self._refused or self._written.get(name) == digest:
                    continue
                try:
                    self._put(name, file.document.text)
                    self._written[name] = digest
                except (NameRefused, NotADirectoryError, IsADirectoryError, FileExistsError):
                    refused.append(name)
                    self._refused.add(name)
            for name in self._written.keys() - scene.files.keys():
                del self._written[name]
                self._place(name).unlink(missing_ok=True)
        except OSError as error:
            raise CommandFailed(f"{self._path} cannot be written: {error.strerror or error}") from error
        return refused

    def _put(self, name: str, text: str) -> None:
        place = self._place(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Nothing of the session may lead out of the folder, not by a link that lies in it either.
        if not place.parent.resolve().is_relative_to(self._path.resolve()):
            raise NameRefused("file.name", "it leads out of the folder")
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".hivesync-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode())
            os.chmod(temporary, 0o444)
            os.replace(temporary, place)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _place(self, name: str) -> Path:
        refuse_malformed(name)
        return self._path / name
