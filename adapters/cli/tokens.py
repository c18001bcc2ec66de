"""`hivesync-admin tokens`: personal access tokens, for scripts and build servers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from adapters.cli.console import CommandFailed, Output, add_common, parser_of
from adapters.cli.desk import Desk, at_the_desk
from adapters.cli.ending import Exit
from adapters.identity.account_rows import AccountRow
from adapters.identity.caller import Caller
from adapters.ids import now
from hivesync_core.accounts.scopes import SCOPES, allowed_scopes

EXAMPLES = """\
hivesync-admin tokens create --account ann@example.com --name laptop --scope read --scope write
hivesync-admin tokens create --account ann@example.com --name build --scope read --expires-in 90d --json
hivesync-admin tokens list --account ann@example.com
hivesync-admin tokens revoke --account ann@example.com 0195515c-0000-7000-8000-000000000001
"""

_SPAN = re.compile(r"(\d{1,6})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    parser = parser_of("tokens", "Makes, lists and revokes personal access tokens. A token is shown once.", EXAMPLES)
    add_common(parser)
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add_common(common)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    making = actions.add_parser("create", parents=[common], help="make a token and show it")
    making.add_argument("--name", required=True, help="what it is for")
    making.add_argument(
        "--scope", action="append", required=True, choices=SCOPES, help="what it may do; may be given several times"
    )
    making.add_argument(
        "--expires-in", type=_span, metavar="TIME", help="such as 12h, 90d or 8w; else it does not expire"
    )
    listing = actions.add_parser("list", parents=[common], help="show an account's tokens")
    revoking = actions.add_parser("revoke", parents=[common], help="make a token void at once")
    revoking.add_argument("token_id", type=UUID, metavar="TOKEN_ID", help="as the list shows it")
    for action in (making, listing, revoking):
        action.add_argument("--account", required=True, metavar="ACCOUNT", help="whose: an e-mail address or id")
    asked = parser.parse_args(arguments)
    output = Output(as_json=asked.json)
    work = {"create": _create, "list": _list, "revoke": _revoke}[asked.action]
    return at_the_desk(asked, output, lambda desk: work(desk, output, asked))


async def _create(desk: Desk, output: Output, asked: argparse.Namespace) -> int:
    person = await desk.person(asked.account)
    if "admin" in asked.scope and not person.is_admin:
        raise CommandFailed(f"{person.email} is no admin, so a token of theirs cannot have the scope admin")
    expires_at = None if asked.expires_in is None else now() + asked.expires_in
    token, secret = await desk.identity.personal_tokens.create(
        _as(person), asked.name, frozenset(asked.scope), expires_at, desk.context()
    )
    facts = {"token_id": token.token_id, "token": secret, "scopes": token.scopes, "expires_at": token.expires_at}
    output.answer(facts, secret)
    if not output.as_json:
        output.note(f"that is the token {token.name!r} of {person.email}, shown this once (id {token.token_id})")
    return Exit.DONE


async def _list(desk: Desk, output: Output, asked: argparse.Namespace) -> int:
    person = await desk.person(asked.account)
    tokens = await desk.identity.personal_tokens.of(person.account_id)
    lines = [
        f"{token.token_id}  {token.name}  {','.join(token.scopes)}  expires {_day(token.expires_at)}  "
        f"last used {_day(token.last_used_at)}"
        for token in tokens
    ]
    output.answer({"tokens": [token._asdict() for token in tokens]}, "\n".join(lines) or "There is no token.")
    return Exit.DONE


async def _revoke(desk: Desk, output: Output, asked: argparse.Namespace) -> int:
    person = await desk.person(asked.account)
    await desk.identity.personal_tokens.revoke(_as(person), asked.token_id, desk.context())
    output.answer({"token_id": asked.token_id, "revoked": True}, f"The token {asked.token_id} is void.")
    return Exit.DONE


def _as(person: AccountRow) -> Caller:
    """The person, with every scope that they may have: whoever has a shell on the machine may have it too."""
    return Caller(person.account_id, frozenset(allowed_scopes(is_admin=person.is_admin)), person.is_admin, UUID(int=0))


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 12h, 90d or 8w")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


def _day(time: datetime | None) -> str:
    return "never" if time is None else f"{time:%Y-%m-%d}"
