"""Second proofs: the language's own parser, where Python has one, must say of both files that they are the same.

A grammar for editors forgives what the real parser does not. Where the real parser cannot read the file before, YAML, TOML
and XML are refused (they are data: there is nothing else to go by); Python is left to the grammar, since the file may be
written for another version of Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hivesync_core.comments.model import CommentRefused
from hivesync_core.comments.native_data import toml_value, xml_content, yaml_events
from hivesync_core.comments.native_html import html_content
from hivesync_core.comments.native_python import python_ast, python_tokens
from hivesync_core.comments.native_scanners import (
    css_spans,
    docker_instructions,
    make_spans,
    markup_spans,
    php_spans,
    scala_spans,
    sql_spans,
)

if TYPE_CHECKING:
    from hivesync_core.comments.proving import Placed

_READERS: dict[str, tuple[tuple[str, Callable[[bytes], object], bool], ...]] = {
    "python": (("python.ast", python_ast, False), ("python.tokenize", python_tokens, False)),
    "yaml": (("yaml.events", yaml_events, True),),
    "toml": (("toml.value", toml_value, True),),
    "xml": (("xml.content", xml_content, True),),
    "html": (("html.content", html_content, True),),
    "dockerfile": (("docker.instructions", docker_instructions, True),),
}
"""What reads a file into something that can be compared, and whether a file that it cannot read is refused."""
_SPANS: dict[str, tuple[str, Callable[[bytes], list[tuple[int, int]]]]] = {
    "sql": ("sql.literals", sql_spans),
    "makefile": ("make.defines", make_spans),
    "php": ("php.mode", php_spans),
    "scala": ("scala.xml", scala_spans),
    "vue": ("markup.blanks", markup_spans),
    "svelte": ("markup.blanks", markup_spans),
    "css": ("css.literals", css_spans),
    "scss": ("css.literals", css_spans),
}
"""What finds the parts of the file before that nothing may be put into."""


def native_proofs(before: bytes, after: bytes, language: str, placed: Placed) -> tuple[str, ...]:
    """The names of the second proofs that held; `CommentRefused` where one does not."""
    held: list[str] = []
    for name, reader, is_needed in _READERS.get(language, ()):
        old = reader(before)
        if old is None:
            if is_needed:
                raise CommentRefused(
                    "native.unreadable",
                    f"The {language} file cannot be read ({name}), so nothing can be proven. Correct it first.",
                )
            continue
        if reader(after) != old:
            raise CommentRefused(
                "native.differs", f"With the comment the file would be read differently ({name}). Choose another line."
            )
        held.append(name)
    if language in _SPANS:
        name, spans = _SPANS[language]
        if any(start < offset < end for start, end in spans(before) for offset in placed.offsets):
            raise CommentRefused(
                "native.literal",
                f"The line lies inside literal text or a value ({name}). Choose the line where it begins.",
            )
        held.append(name)
    return tuple(held)
