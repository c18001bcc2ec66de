"""The clients' types are those of the server: what was generated is what would be generated now."""

from __future__ import annotations

import pytest

from adapters.clients import types


@pytest.mark.parametrize("name", sorted(types.files()))
def test_the_generated_types_are_up_to_date(name: str) -> None:
    stored = (types.FOLDER / name).read_text(encoding="utf-8")
    assert stored == types.files()[name], "run: python -m adapters.clients.types"


def test_nothing_else_lies_among_the_generated_types() -> None:
    assert {path.name for path in types.FOLDER.iterdir()} == set(types.files())
