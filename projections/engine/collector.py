"""Keeps the garbage collector from going through millions of rows and events again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG_OBJECTS = 100_000


class _Users:
    """How many want the collector to be rare, and how it was before the first of them."""

    count = 0
    before = gc.get_threshold()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector look rarely while much is read that holds no cycles.

    Events and rows are freed by their reference counts. With the collector's own settings it takes a third of a
    rebuild's time to find that out every few hundred objects.
    """
    if _Users.count == 0:
        _Users.before = gc.get_threshold()
        if 0 < _Users.before[0] < _YOUNG_OBJECTS:
            gc.set_threshold(_YOUNG_OBJECTS, *_Users.before[1:])
    _Users.count += 1
    try:
        yield
    finally:
        _Users.count -= 1
        if _Users.count == 0:
            gc.set_threshold(*_Users.before)
