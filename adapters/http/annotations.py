"""Reads the annotations of handlers."""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows: the members of a union, else the annotation itself."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
