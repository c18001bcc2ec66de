"""`hivesync live`: the command line of hosting and of watching a session, its help and its exit codes."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from adapters.cli.live.server import SERVER_VARIABLE, TOKEN_VARIABLE, Server, parse_link, server_url
from adapters.cli.live.speech import Speech

EXIT_CODES: Final = """\
exit codes:
  0    the session ended, or you ended or left it
  1    refused or failed; the message says why and what to do
  2    the command line is wrong
  3    host: some files or lines could not be shown
  4    the server cannot be reached
"""

HOST: Final = """\
Shows files of this machine to whoever has the link, each save at once, read-only. Nothing of them is stored on the
server. Files named like secrets, and what ignore files exclude, are refused. Names are relative to the git repository.

With --stdin-patches an editor says what happens, one JSON object a line:
  {"file": "a.py", "text": "…"}                    opens the file, or replaces its text
  {"file": "a.py", "changes": [{"range": {"start": {"line": 0, "character": 3}, "end": {…}}, "text": "x"}]}
  {"file": "a.py", "selections": [{"start": {…}, "end": {…}}], "visible": {"start": {…}, "end": {…}}}
  {"file": "a.py", "rename": "b.py"}               {"file": "a.py", "close": true}
Positions are those of the Language Server Protocol (from zero, in UTF-16 code units); the end of input ends the session.

The token is a personal access token with the scopes `read` and `live`.
"""

HOST_EXAMPLES: Final = """\
  export HIVESYNC_SERVER=https://hivesync.example.org HIVESYNC_TOKEN=hsp_…
  hivesync live host --project Garden src/gate.py src/hinge.py
  hivesync live host --project Garden --title "Mending the gate" --allow "src/**" src/*.py
  my-editor-bridge | hivesync live host --project Garden --stdin-patches --json
"""

VIEW: Final = """\
Watches a session: on a terminal in colours, following the host; else a line for each thing that happens. With --json
everything that happens is one JSON object a line, texts and changes too. With --write-to the files are kept up to date
in a folder, read-only. LINK is what the host sent (hivesync://live/…, https://…/live#…), or, for members of the project
with --account, the session's id.

Without --account you watch as a guest; the account's token is sent to the server that HIVESYNC_SERVER names alone.
"""

VIEW_EXAMPLES: Final = """\
  hivesync live view 'https://hivesync.example.org/live#hsl_…'
  hivesync live view --server https://hivesync.example.org 'hivesync://live/hsl_…' --name Grace
  hivesync live view LINK --write-to /tmp/lesson        # then open the folder in an editor
  hivesync live view LINK --once --write-to copy        # what stands now, and no more
  hivesync live view LINK --json | jq -r 'select(.event == "changed") | .file'
"""

USAGE: Final = """\
usage: hivesync live {host,view} ...

commands:
  host FILE...   show files to others as they are saved
  view LINK      watch what somebody shows

examples:
  hivesync live host --project Garden src/gate.py
  hivesync live view 'https://hivesync.example.org/live#hsl_…'
  hivesync live host --help
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    named, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if named in ("help", "-h", "--help"):
        print(USAGE, end="")
        return Exit.DONE
    if named not in ("host", "view"):
        wrong = f"hivesync live: there is no command {named!r}\n\n" if named else ""
        print(f"{wrong}{USAGE}", end="", file=sys.stderr)
        return Exit.USAGE
    asked = (_host_parser() if named == "host" else _view_parser()).parse_args(rest)
    speech = Speech(as_json=asked.json, command=f"hivesync live {named}")
    try:
        return asyncio.run(_host(asked, speech) if named == "host" else _view(asked, speech))
    except CommandFailed as error:
        text = f"{error}{'' if str(error).endswith('.') else '.'} {error.remedy}".strip()
        speech.note("failed", text, error=str(error), remedy=error.remedy or None, exit_code=int(error.exit_code))
        return error.exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _parser(name: str, description: str, examples: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"hivesync live {name}",
        description=description,
        epilog=f"examples:\n{examples}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--server", metavar="URL", help=f"the server's address (else {SERVER_VARIABLE})")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=f"holds the token (else {TOKEN_VARIABLE})")
    parser.add_argument("--json", action="store_true", help="tell everything as JSON Lines on standard output")
    return parser


def _host_parser() -> argparse.ArgumentParser:
    parser = _parser("host", HOST, HOST_EXAMPLES)
    parser.add_argument("files", nargs="*", metavar="FILE", help="a text file to show")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--project", metavar="PROJECT", help="the name or id of the project that the session is in")
    where.add_argument("--session", type=UUID, metavar="ID", help="go on with a session of yours that lost its host")
    parser.add_argument("--title", default="", help="what viewers see it is about")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PATTERN", help="show only files that one of these names"
    )
    parser.add_argument("--root", metavar="DIR", help="what names are relative to (else the git repository)")
    parser.add_argument("--skip-refused", action="store_true", help="go on without files that may not be shown")
    parser.add_argument("--stdin-patches", action="store_true", help="an editor says what happens, not the disk")
    return parser


def _view_parser() -> argparse.ArgumentParser:
    parser = _parser("view", VIEW, VIEW_EXAMPLES)
    parser.add_argument("link", metavar="LINK", help="what the host sent")
    parser.add_argument("--name", help="as a guest of this name (else the name of your login)")
    parser.add_argument("--account", action="store_true", help="with your account, by the token")
    parser.add_argument("--follow", action=argparse.BooleanOptionalAction, default=True, help="go where the host goes")
    parser.add_argument("--file", metavar="NAME", help="the file to show first, without following")
    parser.add_argument("--write-to", metavar="DIR", help="keep the files in this folder, read-only")
    parser.add_argument("--once", action="store_true", help="take what stands now, and leave")
    return parser


async def _host(asked: argparse.Namespace, speech: Speech) -> int:
    from adapters.cli.live.host import host

    if not asked.files and not asked.stdin_patches:
        raise CommandFailed("there is no file to show", "Name one, or say --stdin-patches.", Exit.USAGE)
    token = _token(asked)
    if token is None:
        remedy = f"Set {TOKEN_VARIABLE} to a personal access token with the scopes read and live, or give --token-file."
        raise CommandFailed("hosting needs a token", remedy, Exit.USAGE)
    async with Server(_configured(asked), token) as server:
        return await host(asked, server, speech)


async def _view(asked: argparse.Namespace, speech: Speech) -> int:
    from adapters.cli.live.view import view

    asked.link = parse_link(asked.link)
    asked.on_screen = sys.stdout.isatty() and sys.stdin.isatty() and not (asked.json or asked.once or asked.write_to)
    asked.follow = asked.follow and asked.file is None
    asked.name = asked.name or _login()
    url = asked.link.server or _configured(asked)
    token = None
    if asked.account:
        token = _token(asked)
        if token is None or url != _configured(asked):
            # A token is for the server that its owner named, not for the one that a link names.
            remedy = f"Set {TOKEN_VARIABLE}, and {SERVER_VARIABLE} to the server of the link."
            raise CommandFailed("watching with an account needs a token for that server", remedy, Exit.USAGE)
    elif asked.link.session_id is not None:
        raise CommandFailed("a session's id is for members of its project", "Say --account.", Exit.USAGE)
    async with Server(url, token) as server:
        return await view(asked, server, speech)


def _configured(asked: argparse.Namespace) -> str:
    text = asked.server or os.environ.get(SERVER_VARIABLE)
    if not text:
        raise CommandFailed("it is not said which server", f"Give --server, or set {SERVER_VARIABLE}.", Exit.USAGE)
    return server_url(text)


def _token(asked: argparse.Namespace) -> str | None:
    if asked.token_file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        return str(asked.token_file.read_text(encoding="utf-8")).strip() or None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandFailed(f"{asked.token_file} cannot be read: {why}", exit_code=Exit.USAGE) from error


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "guest"
