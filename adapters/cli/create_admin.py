"""`hivesync-admin create-admin`: the first admin of an installation, or another one."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.cli.console import Output, add_common, parser_of
from adapters.cli.desk import Desk, at_the_desk
from adapters.cli.ending import Exit
from adapters.cli.passwords import add_password_options, password_from
from adapters.identity.account_rows import AccountRow
from adapters.identity.directory import OPERATOR, NewPerson

EXAMPLES = """\
hivesync-admin create-admin --email ann@example.com --name Ann
hivesync-admin create-admin --email ann@example.com --name Ann --generate-password
pass show hivesync | hivesync-admin create-admin --email ann@example.com --name Ann --password-file -
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    parser = parser_of(
        "create-admin",
        "Makes an account that may do everything. Needs no server; makes the database where there is none yet.",
        EXAMPLES,
    )
    parser.add_argument("--email", required=True, help="the address to sign in with")
    parser.add_argument("--name", required=True, help="the person's name")
    add_password_options(parser)
    add_common(parser)
    asked = parser.parse_args(arguments)
    output = Output(as_json=asked.json)
    password, is_new = password_from(asked)

    async def work(desk: Desk) -> int:
        directory, context = desk.identity.directory, desk.context()
        made: AccountRow
        if await directory.has_admin():
            person = NewPerson(asked.email, asked.name, password)
            made = await directory.make(person, OPERATOR, context, is_admin=True)
        else:
            made = await desk.identity.set_up.create_first_admin(
                context, email=asked.email, name=asked.name, password=password
            )
        facts = {"account_id": made.account_id, "email": made.email, "password": password if is_new else None}
        text = f"{made.email} is an admin (account {made.account_id})."
        if is_new:
            text += f"\nPassword, shown this once: {password}"
        output.answer(facts, f"{text}\nSign in at {desk.settings.public_url}")
        return Exit.DONE

    return at_the_desk(asked, output, work, may_make=True)
