"""Files as lines of bytes, unpacked where they are packed; what is whole before a torn end is all handed on."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

CHUNK_BYTES = 256 * 1024

LINE_BYTES_MAX = 16 * 1024 * 1024
"""One line, or one task; GitHub's longest have a quarter of a megabyte."""

OVERLONG_BYTES_MAX = 1024 * 1024 * 1024
"""How long a line may be to be passed over as too long; a file with a longer one is no file of lines."""

UNPACKED_BYTES_MAX = 64 * 1024 * 1024 * 1024
"""Where a file that says to be packed stops to be believed."""

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = zlib.MAX_WBITS | 16
_OTHER_PACKERS = {
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
}
_OTHER_ENCODINGS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_BOM = b"\xef\xbb\xbf"
_MARK_BYTES_MAX = 4
_UTF_16_WITHOUT_MARK = re.compile(rb"\0[^\0]\0[^\0]|[^\0]\0[^\0]\0", re.DOTALL)
"""What a file of UTF-16 begins with whose first two characters are of ASCII."""


class Unreadable(Exception):
    """The file cannot be read on; the message says why and what to do."""


def unpacked(stream: BinaryIO, *, bytes_max: int = UNPACKED_BYTES_MAX) -> Iterator[bytes]:
    """The bytes of a file in chunks, without gzip's packing and without a byte order mark.

    Raises ``Unreadable`` after the last good byte where the packing is torn or damaged, and before the first one where
    the file is in a form that is not taken.
    """
    head = _read(stream)
    while len(head) < _MARK_BYTES_MAX and (more := _read(stream)):
        head += more
    is_packed = bool(head) and head[:2] in (_GZIP, _GZIP[:1])
    chunks = _gunzipped(stream, head) if is_packed else _plain(stream, head)
    total = 0
    for chunk in _from_checked_beginning(chunks):
        total += len(chunk)
        if total > bytes_max:
            raise Unreadable(f"unpacked it has more than {bytes_max} bytes; split it")
        yield chunk


def lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """The lines of a file with their line ends, none for one of more than ``LINE_BYTES_MAX``; the last may have no end.

    Raises ``Unreadable`` where a line has more than ``OVERLONG_BYTES_MAX``; a torn end is raised after the last whole
    line.
    """
    rest, passed_over = b"", 0
    for chunk in chunks:
        begin = 0
        while end := chunk.find(b"\n", begin) + 1:
            fits = not passed_over and len(rest) + end - begin <= LINE_BYTES_MAX
            yield rest + chunk[begin:end] if fits else None
            rest, passed_over, begin = b"", 0, end
        if passed_over or len(rest) + len(chunk) - begin > LINE_BYTES_MAX:
            passed_over += len(rest) + len(chunk) - begin
            rest = b""
            if passed_over > OVERLONG_BYTES_MAX:
                raise Unreadable(f"it has more than {OVERLONG_BYTES_MAX} bytes; is this the right kind of file?")
        else:
            rest += chunk[begin:]
    if rest or passed_over:
        yield None if passed_over else rest


def too_long(what: str) -> str:
    """Why a piece of a file is not taken."""
    return f"{what} has more than {LINE_BYTES_MAX} bytes"


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(CHUNK_BYTES)
    except OSError as error:
        raise Unreadable(f"the file cannot be read on: {error.strerror or error}") from error


def _plain(stream: BinaryIO, chunk: bytes) -> Iterator[bytes]:
    while chunk:
        yield chunk
        chunk = _read(stream)


def _gunzipped(stream: BinaryIO, packed: bytes) -> Iterator[bytes]:
    """One gzip member after another, as gzip itself reads them; zeros that pad the end are passed over."""
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        while packed:
            while packed:
                if chunk := unpacker.decompress(packed, CHUNK_BYTES):
                    yield chunk
                packed = unpacker.unconsumed_tail
                if unpacker.eof:
                    packed = unpacker.unused_data.lstrip(b"\0") or _read(stream).lstrip(b"\0")
                    if not packed:
                        return
                    unpacker = zlib.decompressobj(_GZIP_WINDOW)
            packed = _read(stream)
    except zlib.error as error:
        raise Unreadable(f"the gzip file is damaged here ({error}); fetch it again") from error
    raise Unreadable("the gzip file ends here, in the middle; fetch it again")


def _from_checked_beginning(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without a byte order mark; raises ``Unreadable`` where they begin as another form does."""
    begin = b""
    try:
        while len(begin) < _MARK_BYTES_MAX:
            begin += next(chunks)
    except StopIteration:
        pass
    except Unreadable:
        yield _checked_beginning(begin)
        raise
    yield _checked_beginning(begin)
    yield from chunks


def _checked_beginning(chunk: bytes) -> bytes:
    for mark, name in _OTHER_PACKERS.items():
        if chunk.startswith(mark):
            raise Unreadable(f"it is {name}; unpack it first (gzip is taken as it is)")
    for mark, name in _OTHER_ENCODINGS.items():
        if chunk.startswith(mark):
            raise Unreadable(f"it is in {name}; make it UTF-8 first: iconv -f {name} -t UTF-8 FILE")
    if chunk.startswith(_GZIP):
        raise Unreadable("it is packed with gzip more than once; unpack it first: gunzip -c FILE")
    if _UTF_16_WITHOUT_MARK.match(chunk):
        name = "UTF-16BE" if chunk.startswith(b"\0") else "UTF-16LE"
        raise Unreadable(f"it is in {name}; make it UTF-8 first: iconv -f {name} -t UTF-8 FILE")
    return chunk.removeprefix(_BOM)
