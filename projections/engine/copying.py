"""Rows in the binary form of PostgreSQL's COPY, put together one after the other in one buffer a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from struct import Struct
from typing import Any
from uuid import UUID

import msgspec

from projections.engine.readmodel import Table, fields_of

_BEGINNING = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"

_encode_into = msgspec.json.Encoder().encode_into
_count = Struct(">h").pack
_size = Struct(">i").pack
_put_size = Struct(">i").pack_into
_position = Struct(">iqi").pack
_positions = Struct(">iqiqi").pack
_dimension = Struct(">iiiii").pack

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAYS = _EPOCH.toordinal()


class Copied:
    """What is to be copied into one table, whose last column is the document.

    A row is written as its document is made: nothing of it is kept but its bytes, and these once.
    """

    def __init__(self) -> None:
        self._data = bytearray(_BEGINNING)

    def add(self, columns: bytes, row: Any, doc: str | None) -> None:
        """Add a row: its other columns, with four bytes for the size of its document, which is ``doc`` where known."""
        data = self._data
        data += columns
        begin = len(data)
        if doc is None:
            _encode_into(row, data, begin)
        else:
            data += doc.encode()
        _put_size(data, begin - 4, len(data) - begin)

    def taken(self) -> bytearray:
        """What is to be sent, handed over; nothing where there are no rows."""
        data = self._data
        if len(data) == len(_BEGINNING):
            return bytearray()
        self._data = bytearray(_BEGINNING)
        data += _END
        return data

    def clear(self) -> None:
        """Forget what was added."""
        self._data = bytearray(_BEGINNING)


def copied_fields(table: Table[Any], names: tuple[str, ...], others: int) -> Callable[[Any], bytes]:
    """A function that writes the beginning of a row: these fields, with ``others`` columns still to come."""
    take = fields_of(names)
    formats = [_FORMATS[table.sql_type(name)] for name in names]
    count = _count(len(names) + others)
    if len(formats) == 1:
        (only,) = formats
        return lambda row: count + only(*take(row))
    if len(formats) == 2:
        first, second = formats

        def two(row: Any) -> bytes:
            one, other = take(row)
            return count + first(one) + second(other)

        return two
    return lambda row: count + b"".join([put(value) for put, value in zip(formats, take(row), strict=True)])


def at(valid_from: int) -> bytes:
    """The columns of a row after its fields, and four bytes for the size of its document."""
    return _position(8, valid_from, 0)


def between(valid_from: int, valid_to: int) -> bytes:
    """The same of a version."""
    return _positions(8, valid_from, 8, valid_to, 0)


def _uuid(value: UUID | None) -> bytes:
    return _NULL if value is None else b"\0\0\0\x10" + value.int.to_bytes(16, "big")


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return _size(len(data)) + data


def _boolean(value: bool | None) -> bytes:
    return _NULL if value is None else b"\0\0\0\1\1" if value else b"\0\0\0\1\0"


def _integer(value: int | None) -> bytes:
    return _NULL if value is None else b"\0\0\0\x08" + value.to_bytes(8, "big", signed=True)


def _time(value: datetime | None) -> bytes:
    """Microseconds since 2000; what has no time zone is UTC, as it is to the session."""
    if value is None:
        return _NULL
    since = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)) - _EPOCH
    return _integer((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _date(value: date | None) -> bytes:
    return _NULL if value is None else b"\0\0\0\4" + _size(value.toordinal() - _EPOCH_DAYS)


def _array(oid: int, put: Callable[[Any], bytes]) -> Callable[[list[Any] | None], bytes]:
    """Of arrays with one dimension; an empty one has none."""

    none = _size(12) + b"".join(map(_size, (0, 0, oid)))

    def array(value: list[Any] | None) -> bytes:
        if not value:
            return _NULL if value is None else none
        data = _dimension(1, 0, oid, len(value), 1) + b"".join(map(put, value))
        return _size(len(data)) + data

    return array


_FORMATS: dict[str, Callable[[Any], bytes]] = {
    "uuid": _uuid,
    "text": _text,
    "bigint": _integer,
    "boolean": _boolean,
    "timestamptz": _time,
    "date": _date,
    "text[]": _array(25, _text),
    "uuid[]": _array(2950, _uuid),
}
"""By SQL type; the numbers are the element types' in ``pg_type``, the same in every PostgreSQL."""
