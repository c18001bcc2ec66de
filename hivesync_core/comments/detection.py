"""Which language a file is in: by its name or its first line, never guessed from what it says."""

from __future__ import annotations

import re

from hivesync_core.comments.languages import LANGUAGES

_BY_EXTENSION = {extension: language.name for language in LANGUAGES.values() for extension in language.extensions}
_BY_FILENAME = {filename: language.name for language in LANGUAGES.values() for filename in language.filenames}
_BY_INTERPRETER = {program: language.name for language in LANGUAGES.values() for program in language.interpreters}
_SHEBANG = re.compile(
    rb"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-S[ \t]+)?(?:\S+=\S*[ \t]+)*)?(?:\S*/)?([\w+-]+?)[\d.]*(?=[ \t\r\n]|$)"
)
_CPP_ONLY = re.compile(
    rb"^[ \t]*(?:class[ \t]+\w+[^;]*$|namespace\b|template[ \t]*<|using[ \t]+\w|(?:public|private|protected)[ \t]*:|extern[ \t]+\"C\")",
    re.MULTILINE,
)


def language_of(path: str, source: bytes) -> str | None:
    """The language's fixed name, or None where it is not supported.

    The file name decides, then its extension (as it is written, else in small letters), then the interpreter of a ``#!`` line
    for names without an extension.
    A ``.h`` with lines that only C++ has is C++.
    """
    name = path.replace("\\", "/").rpartition("/")[2]
    if name in _BY_FILENAME:
        return _BY_FILENAME[name]
    if name.startswith(("Dockerfile.", "Dockerfile-", "Containerfile.", "Containerfile-")):
        return "dockerfile"
    stem, dot, extension = name.rpartition(".")
    if dot and stem:
        found = _BY_EXTENSION.get(f".{extension}") or _BY_EXTENSION.get(f".{extension.lower()}")
        return "cpp" if found == "c" and extension == "h" and _CPP_ONLY.search(source) else found
    shebang = _SHEBANG.match(source)
    return _BY_INTERPRETER.get(shebang[1].decode()) if shebang else None
