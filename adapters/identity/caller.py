"""Who is asking: what a good token says of the account behind it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from hivesync_core.accounts.commands import Actor
from hivesync_core.kernel.ids import AccountId


class Caller(NamedTuple):
    """The account behind a request or a socket, and how far its token reaches.

    ``scopes`` are those of the token that the account may still have; ``is_admin`` says that the account is an admin,
    whatever the token. ``token_id`` is what revocation names: the session of an access token, or the personal access
    token itself. ``valid_until`` is when the token shown ends by itself, in seconds since 1970, none where it does not:
    what it opened must not outlive it.
    """

    account_id: AccountId
    scopes: frozenset[str]
    is_admin: bool
    token_id: UUID
    valid_until: float | None = None

    @property
    def acts_as_admin(self) -> bool:
        """Whether this is an admin with a token that may act as one."""
        return self.is_admin and "admin" in self.scopes

    @property
    def actor(self) -> Actor:
        """The caller as the rules of accounts know it."""
        return Actor(self.account_id, self.acts_as_admin)


class Revoked(NamedTuple):
    """What ceased to be good: one token or session, everything of one account, or, where both are none, unknown.

    Unknown means that word of revocations may have been lost: whoever keeps something open asks again for each.
    """

    token_id: UUID | None = None
    account_id: UUID | None = None

    def concerns(self, caller: Caller) -> bool:
        """Whether the caller has to prove itself again."""
        if self.token_id is None and self.account_id is None:
            return True
        return caller.token_id == self.token_id or caller.account_id == self.account_id
