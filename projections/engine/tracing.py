"""Where a tracer may look in: around each batch of entries that somebody works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from projections.engine.entries import Entry

AroundBatch = Callable[[str, Sequence[Entry]], AbstractContextManager[object]]
"""What is entered before a batch and left after it; it is told who works, and on which entries."""

_NOTHING = nullcontext()


def untraced(name: str, entries: Sequence[Entry]) -> AbstractContextManager[object]:
    """No tracer looks in."""
    return _NOTHING
