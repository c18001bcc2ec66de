"""What a test must leave as it found it: the names of the product's modules, which later tests use too."""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

PRODUCT = ("adapters", "hivesync_core", "projections", "shared")


def bindings() -> dict[tuple[str, str], Any]:
    """Every constant, class and function of the product's modules that are loaded."""
    return {
        (module, name): value
        for module, loaded in list(sys.modules.items())
        if module.partition(".")[0] in PRODUCT
        for name, value in list(vars(loaded).items())
        if _is_fixed(name, value)
    }


def changed(before: dict[tuple[str, str], Any]) -> list[str]:
    """The names that are bound to something else than ``before``."""
    now = bindings()
    return sorted(
        f"{module}.{name}" for (module, name), value in before.items() if now.get((module, name)) is not value
    )


def _is_fixed(name: str, value: object) -> bool:
    if name.startswith("__") or isinstance(value, ModuleType):
        return False
    return name.isupper() or isinstance(value, type | FunctionType)
