"""`hivesync-admin`: first admin, accounts, tokens, imports, exports and checks, beside a running server or without one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from adapters.cli.ending import Exit, run_to_end


class Command(NamedTuple):
    """A command: the module with its ``main``, imported when it is asked for, and what it does."""

    module: str
    does: str


COMMANDS = {
    "create-admin": Command("adapters.cli.create_admin", "make the first admin, or another one"),
    "accounts": Command("adapters.cli.accounts", "list, create, disable, enable and erase accounts"),
    "tokens": Command("adapters.cli.tokens", "make, list and revoke personal access tokens"),
    "import": Command("adapters.cli.import_tasks", "import tasks from GitHub issues or CSV"),
    "export": Command("adapters.cli.export", "write the history as CSV, text or JSON Lines"),
    "replay": Command("adapters.cli.replay", "rebuild, check and audit read models; take up what is parked"),
    "verify": Command("adapters.cli.verify", "check an export, history.jsonl or the store"),
}
"""Every command; a new one is one more line here."""

EXAMPLES = """\
examples:
  hivesync-admin create-admin --email ann@example.com --name Ann
  hivesync-admin import tasks issues.jsonl.gz --project Garden
  hivesync-admin export --format csv --project Garden --out garden.csv
  hivesync-admin COMMAND --help
"""


def usage() -> str:
    """What the program does, with an example for the most usual."""
    from adapters.cli.console import EXIT_CODES, is_container

    width = max(map(len, COMMANDS))
    listed = "".join(f"  {name:{width}}  {command.does}\n" for name, command in COMMANDS.items())
    place = "It runs in a container here: paths are the container's.\n\n" if is_container() else ""
    return (
        "usage: hivesync-admin COMMAND ...\n\n"
        "Administers the HiveSync of this machine, whether its server runs or not.\n\n"
        f"{place}commands:\n{listed}\n{EXAMPLES}\n{EXIT_CODES}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return run_to_end("hivesync-admin", lambda: _main(given))


def _main(given: list[str]) -> int:
    if not given or given[0] in ("help", "-h", "--help"):
        print(usage(), end="")
        return Exit.DONE if given else Exit.USAGE
    named, *rest = given
    if named not in COMMANDS:
        print(f"hivesync-admin: there is no command {named!r}\n\n{usage()}", end="", file=sys.stderr)
        return Exit.USAGE
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="hivesync-admin: %(message)s")
    # Psycopg has a level of its own, at which it tells of each connection that is lost; commands say that themselves.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    return _run(COMMANDS[named], rest)


def _run(command: Command, rest: Sequence[str]) -> int:
    from adapters.cli.console import CommandFailed, Output

    try:
        return int(import_module(command.module).main(rest))
    except CommandFailed as error:
        return Output(as_json="--json" in rest).failed(error)


if __name__ == "__main__":
    sys.exit(main())
