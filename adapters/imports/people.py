"""Which member a name in another system is: as it was said, else by e-mail address or by the very same name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from adapters.identity.account_rows import AccountRows, email_key
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Invalid
from hivesync_core.kernel.roles import Role


class PersonRefused(Invalid):
    """A name was said to be somebody who cannot have tasks in this project; the facts say the ``name``."""

    code = "import.person_refused"
    title = "This person cannot have tasks in the project"


async def accounts_by_name(
    rows: AccountRows, members: Mapping[AccountId, Role], said: Mapping[str, str]
) -> dict[str, AccountId]:
    """The accounts of the members who may work, by what they may be called in a file, case folded.

    ``said`` maps names to e-mail addresses or account ids. Two members of one name are known by their addresses only.
    Raises ``PersonRefused``.
    """
    workers = [account_id for account_id, role in members.items() if role.writes]
    by_address: dict[str, AccountId] = {}
    names: list[tuple[str, AccountId]] = []
    for account_id in workers:
        person = await rows.find(account_id)
        if person is not None:
            by_address[email_key(person.email)] = account_id
            names.append((person.name.casefold(), account_id))
    counts = Counter(name for name, _ in names)
    known = {name: account_id for name, account_id in names if counts[name] == 1} | by_address
    for name, who in said.items():
        found = by_address.get(email_key(who)) or _worker(who, workers)
        if found is None:
            raise PersonRefused(f"{name}={who}: no member who may work in the project goes by that.", name=name)
        known[name.casefold()] = found
    return known


def _worker(text: str, workers: list[AccountId]) -> AccountId | None:
    try:
        account_id = AccountId(UUID(text))
    except ValueError:
        return None
    return account_id if account_id in workers else None
