"""Keeps spreadsheets from running what people wrote: OWASP's rules against CSV injection.

A cell is text to a spreadsheet when an apostrophe stands before it. Text in a cell is also looked at behind a
semicolon, because a spreadsheet that is set to another separator than the comma begins a new cell there.
"""

from __future__ import annotations

import re

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""What begins a formula, as ASCII, full-width and small forms (some spreadsheets take those for the same)."""

_RISKY_CELL = re.compile(rf"[\t\r\n]|[\s\"'\ufeff\u200b]*[{_SIGNS}]")
_RISKY_INSIDE = re.compile(rf";(?=[\s\"'\ufeff\u200b]*[{_SIGNS}])")
_RISKY_INSIDE_JSON = re.compile(rf";(?=(?:[\s\"'\ufeff\u200b]|\\[tnrf\"])*[{_SIGNS}])")
_DEFUSED_INSIDE = re.compile(rf";'(?=[\s\"'\ufeff\u200b]*[{_SIGNS}])")
_DEFUSED_INSIDE_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u003b")

HOW = (
    "A text that a spreadsheet could run (it begins with = + - @, their full-width or small forms, tab or a line end, "
    "also after white space and quotes) has an apostrophe before it; the same holds after a semicolon inside it. Inside "
    "the column data, where only a semicolon could do harm, the semicolon is written as the JSON escape \\u003b."
)
"""What was done to such cells, for the manifest."""


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet runs; the very same text where it is harmless."""
    if _RISKY_CELL.match(text):
        text = "'" + text
    if ";" in text:
        text = _RISKY_INSIDE.sub(";'", text)
    return text


def defused_json(state: str) -> str:
    """JSON that means the same and holds no beginning of a formula behind a semicolon."""
    return _RISKY_INSIDE_JSON.sub("\\\\u003b", state) if ";" in state else state


def fused(cell: str) -> str:
    """The text that a cell was made from: the opposite of ``defused``."""
    if cell[:1] == "'" and _RISKY_CELL.match(cell[1:]):
        cell = cell[1:]
    return _DEFUSED_INSIDE.sub(";", cell) if ";'" in cell else cell


def fused_json(state: str) -> str:
    """The JSON that ``defused_json`` was given."""
    return _DEFUSED_INSIDE_JSON.sub(r"\1;", state) if "\\u003b" in state else state
