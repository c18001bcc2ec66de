"""Conditional requests by stream version (RFC 9110, section 13): ``ETag``, ``If-Match``, ``If-None-Match``."""

from __future__ import annotations

import re
from typing import Any

from adapters.http.failures import HeaderInvalid, PreconditionFailed, PreconditionRequired

_STRONG = re.compile(rb'"(\d{1,18})"')
_TAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def expected_version(scope: Any, *, required: bool = False) -> int | None:
    """The version that ``If-Match`` names, none where any will do.

    Raises ``PreconditionRequired`` where there is no such header and one is ``required``, ``PreconditionFailed``
    where it names what can be no version (a weak tag never matches), ``HeaderInvalid`` where it is no entity tag or
    more than one: a command is made for one version.
    """
    value = _header(scope, b"if-match")
    if value is None:
        if required:
            raise PreconditionRequired
        return None
    value = value.strip()
    if value == b"*":
        return None
    if found := _STRONG.fullmatch(value):
        return int(found[1])
    if _TAG.fullmatch(value):
        raise PreconditionFailed
    raise HeaderInvalid("If-Match", 'it must be one entity tag, such as "3", or *')


def is_known(scope: Any, version: int) -> bool:
    """Whether ``If-None-Match`` names the version: the client has it already."""
    value = _header(scope, b"if-none-match")
    if value is None:
        return False
    tags = {tag.removeprefix(b"W/") for tag in _TAG.findall(value)}
    return value.strip() == b"*" or etag(version).encode() in tags


def _header(scope: Any, name: bytes) -> bytes | None:
    values = [value for key, value in scope["headers"] if key == name]
    return b", ".join(values) if values else None
