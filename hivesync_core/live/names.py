"""Which files may be shown: none that are named like secrets, none that ignore files exclude (LIVE-3).

Names are compared without regard to case and in Unicode's composed form, and a part's trailing dots and blanks do not
count: some file systems take ``.ENV.`` for ``.env``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pathspec import GitIgnoreSpec

from hivesync_core.live.commands import ALLOW_MAX, PATTERN_CHARS_MAX
from hivesync_core.live.refusals import PatternRefused

PARTS_MAX: Final = 64
"""Folders deep that a file may lie."""

SECRET_RULES: Final = (
    ".env*", "*.env",
    ".git/", ".hg/", ".svn/", ".git-credentials", ".gitconfig",
    ".ssh/", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*_rsa", "*_ed25519", "*.ppk",
    "*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.jks", "*.keystore", "*.kdb", "*.kdbx", "*.agekey",
    ".gnupg/", "*.gpg", "*.pgp", "*.asc", "secring.*",
    ".aws/", ".azure/", ".gcloud/", ".kube/", "kubeconfig", ".docker/", ".dockercfg", ".terraform/",
    "*.tfstate", "*.tfstate.*", "*.tfvars", "*.tfvars.json",
    ".netrc", "_netrc", ".npmrc", ".yarnrc*", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd", ".vault-token", ".vault_pass*",
    "credentials", "credentials.*", "*credentials.json", "secret.*", "secrets.*", "*.secret", "*.secrets", "secrets/", ".secrets/",
    "service-account*.json", "service_account*.json", "*.ovpn", "*.mobileprovision", "*.keytab", "*.token",
)  # fmt: skip
"""Names that are refused, as patterns of a .gitignore file; a refusal names the one that it fell under."""

_FORBIDDEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\:]")


class NameRefused(Exception):
    """A file may not be shown; ``code`` is stable, ``rule`` the pattern that it fell under, where there is one."""

    def __init__(self, code: str, message: str, rule: str | None = None) -> None:
        super().__init__(message)
        self.code, self.rule = code, rule


class IgnoreRules(NamedTuple):
    """The patterns of one ignore file, for the names below its folder."""

    folder: str
    spec: GitIgnoreSpec
    lines: tuple[str, ...]


class NameRules:
    """The rules of one session: its allow-list, where it has one, and the ignore files of its host's folder."""

    def __init__(self, allow: Sequence[str] = (), ignore: Iterable[tuple[str, Sequence[str]]] = ()) -> None:
        self._allow = _spec(allow) if allow else None
        self._ignore: list[IgnoreRules] = []
        for folder, patterns in ignore:
            lines = tuple(filter(_is_pattern, map(fold, filter(None, map(_tamed, patterns)))))
            inside = "/".join(_part(part) for part in folder.split("/") if part not in ("", "."))
            self._ignore.append(IgnoreRules(inside, _spec(lines), lines))

    def check(self, name: str) -> None:
        """Raise ``NameRefused`` where a file of this name may not be shown."""
        refuse_malformed(name)
        folded = "/".join(_part(part) for part in name.split("/"))
        rule = _matched(_SECRETS, SECRET_RULES, folded)
        if rule is not None:
            raise NameRefused("file.secret", f"Files named like secrets are not shown: {rule}.", rule)
        for folder, spec, lines in self._ignore:
            below = _below(folder, folded)
            rule = None if below is None else _matched(spec, lines, below)
            if rule is not None:
                raise NameRefused("file.ignored", f"An ignore file excludes it: {rule}.", rule)
        if self._allow is not None and not self._allow.match_file(folded):
            raise NameRefused("file.not_allowed", "The session shows only what its allow-list names.", "allow")


def refuse_malformed(name: str) -> None:
    """Raise ``NameRefused`` where a name is not a relative path with ``/`` between its parts."""
    parts = name.split("/")
    malformed = _FORBIDDEN.search(name) is not None or len(parts) > PARTS_MAX
    if malformed or any(not _part(part) for part in parts):
        message = "A name is a relative path with / between its parts, without . and .. and control characters."
        raise NameRefused("file.name", message)


def refuse_bad_patterns(patterns: Sequence[str]) -> None:
    """Raise ``PatternRefused`` where an allow-list is not one."""
    if len(patterns) > ALLOW_MAX:
        raise PatternRefused(f"An allow-list has {ALLOW_MAX} patterns at most.", patterns_max=ALLOW_MAX)
    for pattern in patterns:
        if not pattern.strip() or len(pattern) > PATTERN_CHARS_MAX or _tamed(pattern) != pattern:
            raise PatternRefused("It is blank, too long, or has too many stars.", pattern=pattern[:PATTERN_CHARS_MAX])
        if pattern.startswith(("#", "!")) or "\n" in pattern or "\0" in pattern:
            raise PatternRefused("It must name what may be shown, on one line.", pattern=pattern)
        try:
            _spec((pattern,))
        except (ValueError, re.error):
            raise PatternRefused("It is not written as in a .gitignore file.", pattern=pattern) from None


def fold(text: str) -> str:
    """Text as names are compared: composed, without regard to case."""
    return unicodedata.normalize("NFC", text).casefold()


def _part(part: str) -> str:
    """A part of a name as it is compared; empty where it is ``.``, ``..`` or nothing at all."""
    return fold(part).rstrip(". ") if part.strip(". ") else ""


def _below(folder: str, name: str) -> str | None:
    if not folder:
        return name
    return name[len(folder) + 1 :] if name.startswith(folder + "/") else None


def _is_pattern(line: str) -> bool:
    """Whether a line of an ignore file means anything; one that git could not read excludes nothing there either."""
    if not line.strip() or line.startswith("#"):
        return False
    try:
        _spec((line,))
    except (ValueError, re.error):
        return False
    return True


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines([fold(pattern) for pattern in patterns])


def _matched(spec: GitIgnoreSpec, lines: Sequence[str], name: str) -> str | None:
    """The pattern that excludes a name, none where it is not excluded."""
    result = spec.check_file(name)
    if not result.include or result.index is None:
        return None
    return lines[result.index]


def _tamed(pattern: str) -> str | None:
    """A pattern that is matched in bounded time: with many stars it becomes one that excludes more, or none.

    Each star of a part multiplies the time that a match may take by the length of the name.
    """
    stars = max(part.count("*") for part in pattern.split("/"))
    if stars <= _STARS_MAX and pattern.count("**") <= _DOUBLE_STARS_MAX:
        return pattern
    if pattern.startswith("!"):
        return None
    first, last = pattern.index("*"), pattern.rindex("*")
    between = "**" if "/" in pattern[first:last] or "**" in pattern else "*"
    return pattern[:first] + between + pattern[last + 1 :]


_STARS_MAX: Final = 3
_DOUBLE_STARS_MAX: Final = 2
_SECRETS = _spec(SECRET_RULES)
