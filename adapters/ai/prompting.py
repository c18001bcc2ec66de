"""What a model is told: the template as instructions, then the file with numbered lines between marks that it cannot forge."""

from __future__ import annotations

import secrets
from typing import Final

import msgspec

from hivesync_core.prompts.template import filled
from hivesync_core.reviews.events import Style

_ENDING: Final = """\

Answer with JSON alone, of the form {"comments": [{"type": "inline" or "header", "target": {"line": number}, "content": text}]}.
The line numbers are those at the beginning of each line of the file; they and the bar after them are not part of it.
"""


class FileToDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a prompt needs it."""

    path: str
    language: str
    source: str
    style: Style


def instructions(template: str, file: FileToDocument) -> str:
    """The template filled in for a file, and the form of the answer."""
    values = {
        "path": file.path,
        "language": file.language,
        "detail": str(file.style.detail),
        "tongue": file.style.tongue,
        "header": "" if file.style.header else " Do not write one.",
        "comments_max": str(file.style.comments_max),
    }
    return filled(template, values) + _ENDING


def numbered(source: str) -> str:
    """The file with each line's number before it; lines end with LF or CR LF, as the check counts them."""
    lines = source.removeprefix("\ufeff").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    width = len(str(len(lines)))
    return "\n".join(f"{number:{width}}|" + line.removesuffix("\r") for number, line in enumerate(lines, 1))


def material(file: FileToDocument) -> str:
    """The file between two marks with a number that nobody who wrote the file could know."""
    mark = secrets.token_hex(8)
    return f"<file {mark}>\n{numbered(file.source)}\n</file {mark}>"
