"""Where a command gets a password from: a prompt, a file, standard input, or chance; never the command line."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from pathlib import Path
from typing import TextIO

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit

GENERATED_BYTES = 18
"""Of chance in a password that is made here: 24 characters."""


LINE_CHARS_MAX = 4_096
"""Of the line that a password is read from; none may be nearly as long."""


def add_password_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where a password comes from."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--password-file", metavar="FILE", help="read the password from the first line of a file, - for standard input"
    )
    where.add_argument("--generate-password", action="store_true", help="make a password and show it once")


def password_from(asked: argparse.Namespace) -> tuple[str, bool]:
    """The password, and whether it was made here and has to be shown. Raises ``CommandFailed``."""
    if asked.generate_password:
        return secrets.token_urlsafe(GENERATED_BYTES), True
    if asked.password_file is not None:
        return _first_line(asked.password_file), False
    if not sys.stdin.isatty():
        raise CommandFailed(
            "there is no terminal to ask for the password on",
            "Use --password-file FILE (- is standard input), or --generate-password.",
            Exit.USAGE,
        )
    password = getpass.getpass("Password (at least 15 characters, a sentence is good): ")
    if getpass.getpass("The same again: ") != password:
        raise CommandFailed("the two passwords differ", exit_code=Exit.USAGE)
    return password, False


def _first_line(path: str) -> str:
    try:
        if path == "-":
            return _line(sys.stdin)
        with Path(path).open(encoding="utf-8", newline="") as file:
            return _line(file)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"the password cannot be read from {path}: {error}", exit_code=Exit.USAGE) from error


def _line(file: TextIO) -> str:
    return file.readline(LINE_CHARS_MAX).removesuffix("\n").removesuffix("\r")
