"""Which account PostgreSQL runs as, and whether that account can reach a file."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.embedded.errors import EmbeddedPostgresError

_ACCOUNTS_FOR_ROOT = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account of this machine by its ids."""

    uid: int
    gid: int

    @property
    def is_own(self) -> bool:
        return self.uid == os.geteuid()

    def owns_after(self, path: Path) -> None:
        """Hand a file or folder over to the account; nothing to do when it is our own."""
        if not self.is_own:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Whether the account may read (and, of folders, enter) the path and enter every folder above it."""
        resolved = path.resolve()
        return self._may(resolved, stat.S_IROTH | stat.S_IXOTH) and all(
            self._may(folder, stat.S_IXOTH) for folder in resolved.parents
        )

    def _may(self, path: Path, wanted: int) -> bool:
        found = path.stat()
        if found.st_uid == self.uid:
            wanted <<= 6
        elif found.st_gid == self.gid:
            wanted <<= 3
        return found.st_mode & wanted == wanted


def account_for_postgres() -> Account:
    """Our own account, or, as root, one without rights: PostgreSQL refuses to run as root.

    Raises EmbeddedPostgresError when root has no such account to give its rights up for.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if sys.platform != "linux":
        raise EmbeddedPostgresError(
            "On this system the embedded PostgreSQL does not run as root. Start HiveSync as an ordinary user."
        )
    for name in _ACCOUNTS_FOR_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor `nobody`. "
        "Make one (useradd --system postgres), or start HiveSync as an ordinary user, or set DATABASE_URL."
    )
