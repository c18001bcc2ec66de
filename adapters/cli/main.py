"""`hivesync`: starts the server, and hands everything else to the command of that name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from adapters.cli.ending import Exit, run_to_end

COMMANDS = {
    "serve": "start the server; this is what no command at all does too",
    "admin": "accounts, tokens, imports, exports: hivesync-admin",
    "verify": "check an export, a history.jsonl or the store against what was signed",
    "replay": "rebuild, check and audit read models; take up what is parked",
    "docs": "suggest comments for files, insert what you approve",
    "comments": "check comments for a file, or a corpus of cases, offline",
    "live": "show files to others as they are written, or watch what somebody shows",
    "settings": "print every setting with its default",
}
"""Every command and what it does."""

USAGE = (
    "usage: hivesync [COMMAND ...]\n\ncommands:\n"
    + "".join(f"  {name:9} {does}\n" for name, does in COMMANDS.items())
    + """
examples:
  hivesync
  hivesync admin create-admin --email ann@example.com --name Ann
  hivesync verify garden.csv
  hivesync COMMAND --help
"""
)

SERVE_EXAMPLES = """\
examples:
  hivesync serve
  HIVESYNC_PORT=8000 hivesync serve
  DATABASE_URL=postgresql://hivesync@db/hivesync REDIS_URL=redis://cache hivesync serve

Settings come from the environment: hivesync settings prints them all. Without DATABASE_URL it runs a private
PostgreSQL in its data folder. It stops at SIGTERM and Ctrl-C.

exit codes:
  0    stopped as it was asked to
  1    it could not start, or not go on
  2    the command line or a setting is wrong
  130  interrupted while it started
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code is 0, 1 for a failure, 2 for bad settings or an unknown command."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_to_end("hivesync", lambda: _main(given))


def _main(given: list[str]) -> int:
    named, *rest = given or ["serve"]
    if named in ("help", "-h", "--help"):
        print(USAGE, end="")
        return Exit.DONE
    if named not in COMMANDS:
        print(f"hivesync: there is no command {named!r}\n\n{USAGE}", end="", file=sys.stderr)
        return Exit.USAGE
    return _command(named)(rest)


def _command(named: str) -> Callable[[list[str]], int]:
    """What runs the command: its module is imported when it is asked for."""
    if named == "serve":
        return _serve
    if named == "settings":
        return _settings
    if named == "replay":
        return lambda rest: _command("admin")(["replay", *rest])
    module = "adapters.cli.live.main" if named == "live" else f"adapters.cli.{named}"
    return import_module(module).main  # type: ignore[no-any-return]


def _serve(arguments: Sequence[str]) -> int:
    if arguments:
        _without_options("serve", "Starts the server.", SERVE_EXAMPLES, arguments)
    from adapters.cli.serve import serve

    return serve()


def _settings(arguments: Sequence[str]) -> int:
    if arguments:
        _without_options("settings", "Prints every setting with its default.", "", arguments)
    from shared.settings import sample

    print(sample(), end="")
    return Exit.DONE


def _without_options(name: str, does: str, epilog: str, arguments: Sequence[str]) -> None:
    """Answer ``--help``, or say that there is no such option: either way the program ends."""
    argparse.ArgumentParser(
        prog=f"hivesync {name}",
        description=does,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    ).parse_args(arguments)
