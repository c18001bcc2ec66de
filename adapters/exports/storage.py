"""The folder of export files: what an export's file is called, and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from adapters.proof.attest import PROOF_SUFFIX
from hivesync_core.exports.events import ExportFormat
from projections.exports.manifest import MANIFEST_SUFFIX
from projections.exports.whole_file import PART_SUFFIX

_PREFIX = "export-"


class ExportFiles:
    """The files of exports, each named by its export's id, with manifest and proof beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, export_id: UUID, format_: ExportFormat | str) -> Path:
        """Where the export's file is, or is to be."""
        return self.folder / f"{_PREFIX}{export_id}.{ExportFormat(format_)}"

    def manifest(self, export_id: UUID, format_: ExportFormat | str) -> Path:
        """Where its manifest is."""
        return self.path(export_id, format_).with_name(self.path(export_id, format_).name + MANIFEST_SUFFIX)

    def proof(self, export_id: UUID, format_: ExportFormat | str) -> Path:
        """Where its proof file is."""
        return self.path(export_id, format_).with_name(self.path(export_id, format_).name + PROOF_SUFFIX)

    def make_folder(self) -> None:
        """Make the folder where there is none. Raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def remove(self, export_id: UUID) -> int:
        """Delete every file of an export, half written ones too; how many there were."""
        return sum(_unlinked(path) for path in self._of(export_id))

    def remove_parts(self, export_id: UUID) -> None:
        """Delete what a writer that died left half written."""
        for path in self._of(export_id):
            if path.name.endswith(PART_SUFFIX):
                _unlinked(path)

    def _of(self, export_id: UUID) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            yield from list(self.folder.glob(f"{_PREFIX}{export_id}.*"))
            yield from list(self.folder.glob(f".{_PREFIX}{export_id}.*"))


def _unlinked(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
