"""The files that a host shows: their names in the session, what may be shown at all, and what changed on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from hivesync_core.live.names import NameRefused, NameRules
from shared.socket.live import IgnoreFile
from shared.socket.live_limits import (
    FILE_BYTES_MAX,
    FILES_MAX,
    IGNORE_PATTERN_CHARS_MAX,
    IGNORE_PATTERNS_MAX,
)

POLL_S: Final = 0.05
"""How often files are looked at; a change is read when it has stood for as long, so that no half-written one is."""

GONE_AFTER_S: Final = 1.0
"""How long a file may be away, as while an editor puts another in its place, before it is taken for deleted."""

IGNORE_NAMES: Final = (".gitignore", ".ignore")


@dataclass(frozen=True)
class Named:
    """A file of this machine, and its name in the session."""

    name: str
    path: Path


class Unreadable(Exception):
    """A file is not there, no text, or too large; the message says which."""


def root_of(folder: Path) -> Path:
    """The folder that names are relative to: that of the git repository that ``folder`` is in, else itself."""
    folder = folder.resolve()
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


def named(root: Path, paths: Sequence[str]) -> list[Named]:
    """The files with their names, each once. Raises ``CommandFailed``."""
    found: dict[str, Named] = {}
    for text in paths:
        path = Path(text).absolute()
        if path.is_dir():
            raise CommandFailed(f"{text} is a folder", f"Name files, such as {text.rstrip('/')}/*.py.", Exit.USAGE)
        # The name is that of the path as it was given; where a link leads to counts as well, for what it is called.
        real = path.resolve()
        for each in (path.parent.resolve() / path.name, real):
            if not each.is_relative_to(root):
                remedy = f"Give a folder that all files are in: --root {each.parent}"
                raise CommandFailed(f"{text} is not in {root}", remedy, Exit.USAGE)
        name = (path.parent.resolve() / path.name).relative_to(root).as_posix()
        found[name] = Named(name, real)
    if len(found) > FILES_MAX:
        raise CommandFailed(f"those are {len(found)} files", f"A session shows {FILES_MAX} at most.", Exit.USAGE)
    return list(found.values())


def ignore_files(root: Path, files: Sequence[Named]) -> tuple[IgnoreFile, ...]:
    """The ignore files that concern the files: those of the folders that they lie in, and of all above, up to the root."""
    folders = {folder for file in files for folder in _folders(root, file.path)}
    found: list[IgnoreFile] = []
    left = IGNORE_PATTERNS_MAX
    sources = [(root, root / ".git" / "info" / "exclude")]
    sources += [(folder, folder / name) for folder in sorted(folders | {root}) for name in IGNORE_NAMES]
    for folder, source in sources:
        patterns = tuple(_patterns(source))[:left]
        if patterns:
            left -= len(patterns)
            found.append(IgnoreFile(folder=folder.relative_to(root).as_posix().removeprefix("."), patterns=patterns))
    return tuple(found)


def _folders(root: Path, path: Path) -> Iterator[Path]:
    for folder in path.parents:
        yield folder
        if folder == root:
            return


def _patterns(source: Path) -> Iterator[str]:
    try:
        text = source.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        if line.strip() and not line.startswith("#") and len(line) <= IGNORE_PATTERN_CHARS_MAX:
            yield line


def refused(
    files: Sequence[Named], root: Path, ignore: Sequence[IgnoreFile], allow: Sequence[str]
) -> dict[str, NameRefused]:
    """Why files may not be shown, by name: known before anything of them is read. What a link leads to counts too."""
    rules = NameRules(allow, [(each.folder, each.patterns) for each in ignore])
    found: dict[str, NameRefused] = {}
    for file in files:
        try:
            rules.check(file.name)
            rules.check(file.path.relative_to(root).as_posix())
        except NameRefused as error:
            found[file.name] = error
    return found


def read(path: Path) -> str:
    """A file's text, with its line ends as they are. Raises ``Unreadable``."""
    try:
        if path.exists() and not path.is_file():
            raise Unreadable("it is no ordinary file")
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    if len(data) > FILE_BYTES_MAX:
        raise Unreadable(f"it has more than {FILE_BYTES_MAX:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("it is no text in UTF-8") from error
    if "\0" in text:
        raise Unreadable("it is no text")
    return text


class Watcher:
    """Looks at files again and again. It works on every file system, and for at most ``FILES_MAX`` files it costs little."""

    def __init__(self, files: Sequence[Named]) -> None:
        self._marks: dict[str, _Mark] = {file.name: _Mark(_stamp(file.path)) for file in files}
        self._files = files

    async def changed(self) -> AsyncIterator[tuple[Named, bool]]:
        """Each file that was written, or (false) is there no more."""
        while True:
            await asyncio.sleep(POLL_S)
            for file in self._files:
                told = self._marks[file.name].look(_stamp(file.path))
                if told is not None:
                    yield file, told


_Stamp = tuple[int, int, int]


@dataclass
class _Mark:
    """What is known of a file: as it was told of, as it was seen last, and for how long it has been away."""

    told: _Stamp | None
    seen: _Stamp | None = None
    away_s: float = 0.0

    def look(self, now: _Stamp | None) -> bool | None:
        if now is None:
            self.away_s += POLL_S
            if self.told is None or self.away_s < GONE_AFTER_S:
                return None
            self.told = self.seen = None
            return False
        self.away_s = 0.0
        before, self.seen = self.seen, now
        if now == self.told or now != before:
            return None
        self.told = now
        return True


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
