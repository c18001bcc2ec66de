"""`hivesync-admin accounts`: who there is, and what becomes of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from adapters.cli.console import CommandFailed, Output, add_common, parser_of
from adapters.cli.desk import Desk, at_the_desk
from adapters.cli.ending import Exit
from adapters.cli.passwords import add_password_options, password_from
from adapters.identity.account_rows import PEOPLE_MAX, AccountRow
from adapters.identity.directory import OPERATOR, NewPerson, StatusCommand
from hivesync_core.accounts.commands import ChangeRole, DisableAccount, EnableAccount, EraseAccount

EXAMPLES = """\
hivesync-admin accounts list
hivesync-admin accounts list --search ann --json
hivesync-admin accounts create --email ben@example.com --name Ben --generate-password
hivesync-admin accounts disable ben@example.com
hivesync-admin accounts make-admin ben@example.com
hivesync-admin accounts set-password ben@example.com
hivesync-admin accounts erase ben@example.com --yes
"""

CHANGES: dict[str, tuple[StatusCommand, str, str]] = {
    "disable": (DisableAccount(by=OPERATOR), "lock the account out, and end its sessions and tokens", "is locked out"),
    "enable": (EnableAccount(by=OPERATOR), "let the account in again", "can sign in again"),
    "make-admin": (ChangeRole(by=OPERATOR, is_admin=True), "make the account an admin", "is an admin"),
    "remove-admin": (ChangeRole(by=OPERATOR, is_admin=False), "make the account an ordinary one", "is no admin"),
    "erase": (EraseAccount(by=OPERATOR), "delete name, address, password and tokens for ever", "is erased"),
}
"""What can be done to one account: the command, what it is for, and what is so afterwards."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    parser = parser_of("accounts", "Lists accounts, and makes, locks, opens and erases them.", EXAMPLES)
    add_common(parser)
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add_common(common)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", parents=[common], help="show the accounts")
    listing.add_argument("--search", default="", metavar="TEXT", help="only those with this in name or address")
    making = actions.add_parser("create", parents=[common], help="make an account")
    making.add_argument("--email", required=True, help="the address to sign in with")
    making.add_argument("--name", required=True, help="the person's name")
    making.add_argument("--admin", action="store_true", help="make it an admin's")
    add_password_options(making)
    setting = actions.add_parser("set-password", parents=[common], help="give the account another password")
    setting.add_argument("account", metavar="ACCOUNT", help="its e-mail address or id")
    add_password_options(setting)
    for action, (_, does, _) in CHANGES.items():
        changing = actions.add_parser(action, parents=[common], help=does)
        changing.add_argument("account", metavar="ACCOUNT", help="its e-mail address or id")
        if action == "erase":
            changing.add_argument("--yes", action="store_true", help="do not ask")
    asked = parser.parse_args(arguments)
    output = Output(as_json=asked.json)
    if asked.action == "list":
        return at_the_desk(asked, output, lambda desk: _list(desk, output, asked.search))
    if asked.action in ("create", "set-password"):
        password, is_new = password_from(asked)
        shown = password if is_new else None
        work = _create if asked.action == "create" else _set_password
        return at_the_desk(asked, output, lambda desk: work(desk, output, asked, password, shown))
    return at_the_desk(asked, output, lambda desk: _change(desk, output, asked))


async def _list(desk: Desk, output: Output, search: str) -> int:
    found: list[AccountRow] = []
    while page := await desk.identity.rows.page(found[-1].account_id if found else None, PEOPLE_MAX, containing=search):
        found += page
    rows = [_facts(row) for row in found]
    lines = [f"{row.account_id}  {_state(row):8}  {row.email}  {row.name}" for row in found]
    output.answer({"accounts": rows}, "\n".join(lines) if lines else "There is no such account.")
    return Exit.DONE


async def _create(desk: Desk, output: Output, asked: argparse.Namespace, password: str, shown: str | None) -> int:
    person = NewPerson(asked.email, asked.name, password)
    made = await desk.identity.directory.make(person, OPERATOR, desk.context(), is_admin=asked.admin)
    _answer(output, made, "has an account", shown)
    return Exit.DONE


async def _set_password(desk: Desk, output: Output, asked: argparse.Namespace, password: str, shown: str | None) -> int:
    person = await desk.person(asked.account)
    await desk.identity.password_change.set_for(person.account_id, password, OPERATOR, desk.context())
    _answer(output, person, "has another password, and has to sign in again everywhere", shown)
    return Exit.DONE


async def _change(desk: Desk, output: Output, asked: argparse.Namespace) -> int:
    command, _, afterwards = CHANGES[asked.action]
    person = await desk.person(asked.account)
    if asked.action == "erase" and not asked.yes:
        _must_be_meant(person)
    await desk.identity.directory.change_status(person.account_id, command, desk.context())
    now_there = await desk.identity.rows.find(person.account_id) or person
    _answer(output, now_there, afterwards)
    return Exit.DONE


def _must_be_meant(person: AccountRow) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed("erasing cannot be undone", "Say --yes where nobody can be asked.", Exit.USAGE)
    answer = input(f"Erase {person.name} <{person.email}> for ever? Type the address to go on: ")
    if answer.strip() != person.email:
        raise CommandFailed("nothing was erased")


def _answer(output: Output, person: AccountRow, afterwards: str, password: str | None = None) -> None:
    text = f"{person.email} {afterwards} (account {person.account_id})."
    if password is not None:
        text += f"\nPassword, shown this once: {password}"
    output.answer({**_facts(person), "password": password}, text)


def _facts(row: AccountRow) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "email": row.email,
        "name": row.name,
        "is_admin": row.is_admin,
        "disabled": row.disabled,
        "created_at": row.created_at,
    }


def _state(row: AccountRow) -> str:
    return "disabled" if row.disabled else "admin" if row.is_admin else ""
