"""Values in the text form of PostgreSQL's COPY, one function a type, since a library's call for each value costs more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from projections.engine.readmodel import Table, fields_of

_NULL = r"\N"


def _uuid(value: UUID | None) -> str:
    return _NULL if value is None else f"{value.int:032x}"


def _text(value: str | None) -> str:
    if value is None:
        return _NULL
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def json_document(value: str) -> str:
    """JSON holds no raw control characters, so that backslashes alone need care."""
    return value.replace("\\", "\\\\")


def _boolean(value: bool | None) -> str:
    return _NULL if value is None else "t" if value else "f"


def _integer(value: int | None) -> str:
    return _NULL if value is None else str(value)


def _iso(value: date | None) -> str:
    return _NULL if value is None else value.isoformat()


def _array(value: list[Any] | None) -> str:
    return _NULL if value is None else _text("{" + ",".join([_element(element) for element in value]) + "}")


def _element(value: Any) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


_FORMATS: dict[str, Callable[[Any], str]] = {
    "uuid": _uuid,
    "text": _text,
    "bigint": _integer,
    "boolean": _boolean,
    "timestamptz": _iso,
    "date": _iso,
    "text[]": _array,
    "uuid[]": _array,
}
"""By SQL type."""


def copied_fields(table: Table[Any], names: tuple[str, ...]) -> Callable[[Any], str]:
    """A function that writes these fields of a row as the beginning of a line, a tab after each."""
    take = fields_of(names)
    formats = [_FORMATS[table.sql_type(name)] for name in names]
    if len(formats) == 2:
        first, second = formats

        def two(row: Any) -> str:
            one, other = take(row)
            return f"{first(one)}\t{second(other)}\t"

        return two
    return lambda row: "\t".join([put(value) for put, value in zip(formats, take(row), strict=True)]) + "\t"
