"""Who belongs to which project, in memory and exactly as of the position that the hub has reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from hivesync_core.projects.events import MemberAdded, MemberRemoved, ProjectCreated

_NONE: frozenset[int] = frozenset()


class Memberships:
    """Both directions of membership. Keys are UUIDs as integers, which hash at a tenth of the cost."""

    def __init__(self) -> None:
        self._accounts: dict[int, set[int]] = {}
        self._projects: dict[int, set[int]] = {}

    def load(self, rows: Iterable[tuple[UUID, list[UUID]]]) -> None:
        """Begin with these projects and their members."""
        for project_id, member_ids in rows:
            for account_id in member_ids:
                self._add(project_id.int, account_id.int)

    def projects_of(self, account: int) -> frozenset[int] | set[int]:
        """The projects that an account belongs to; not to be changed."""
        return self._projects.get(account, _NONE)

    def apply(self, project: int, event: Any) -> tuple[int | None, int | None]:
        """Take an event of a project in; the account that entered with it and the one that left, if any."""
        match event:
            case ProjectCreated(created_by=account_id) | MemberAdded(account_id=account_id):
                self._add(project, account_id.int)
                return account_id.int, None
            case MemberRemoved(account_id=account_id):
                self._remove(project, account_id.int)
                return None, account_id.int
        return None, None

    def forget(self, project: int) -> None:
        """Let nobody belong to a project any more: what happened to it cannot be read here."""
        for account in list(self._accounts.get(project, _NONE)):
            self._remove(project, account)

    def _add(self, project: int, account: int) -> None:
        self._accounts.setdefault(project, set()).add(account)
        self._projects.setdefault(account, set()).add(project)

    def _remove(self, project: int, account: int) -> None:
        for index, key, value in ((self._accounts, project, account), (self._projects, account, project)):
            values = index.get(key)
            if values is not None:
                values.discard(value)
                if not values:
                    del index[key]
