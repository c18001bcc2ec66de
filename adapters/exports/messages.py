"""What the process that writes an export is told, and what it tells back: one line of JSON each."""

from __future__ import annotations

import msgspec

from projections.exports.manifest import Manifest
from projections.exports.writer import Job, Progress
from shared.settings import Settings


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Write this export to that path."""

    settings: Settings
    url: str
    job: Job
    path: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is; at the end the manifest, or why there is none.

    ``is_final`` says of a failure that trying again would not help: the disk is full, the log was rewritten.
    """

    progress: Progress | None = None
    manifest: Manifest | None = None
    failure: str | None = None
    is_final: bool = False
