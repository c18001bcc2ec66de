"""The scopes of a token (R5): what it may do at most, whatever its account may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Scope = Literal["read", "write", "live", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Every scope, in the order in which they are shown."""

ADMIN_SCOPE: Scope = "admin"


def allowed_scopes(*, is_admin: bool) -> frozenset[Scope]:
    """The scopes that a token of such an account may carry: ``admin`` is for admins only."""
    return frozenset(scope for scope in SCOPES if is_admin or scope != ADMIN_SCOPE)


def in_order(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """The known ones among ``scopes``, each once, in the order in which they are shown."""
    wanted = frozenset(scopes)
    return tuple(scope for scope in SCOPES if scope in wanted)
