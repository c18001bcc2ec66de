"""What tools read from a file by its place, whatever the grammar says: it has to be the same before and after."""

from __future__ import annotations

import re
from collections.abc import Callable

MODELINE_LINES = 5
"""How many lines at each end of a file Vim looks at, by default."""

_MODELINE = re.compile(rb"(?:^|\s)(?:vi|vim|ex)\s*:\s*(?:set?\s|\w+[=:])|-\*-")
_SHEBANG = re.compile(rb"#!(?![ \t]*\[)|//+(?:usr/)?bin/\w")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PEP_723 = re.compile(rb"^# /// [a-zA-Z0-9-]+\s*$(?:\s^#(?:| .*)$)*?\s^# ///\s*$", re.MULTILINE)
_RUBY = re.compile(
    rb"^#.*\b(frozen[_-]string[_-]literal|warn[_-]indent|shareable[_-]constant[_-]value|encoding|"
    rb"coding|typed)\s*[:=]\s*(\S+)",
    re.I,
)
_DOCKER = re.compile(rb"^[ \t]*#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.+?)[ \t\r]*$")
_GO_READ = re.compile(rb"^//(?:go:|export |line |\s*\+build\b)|^(?://|/\*)?\s*(?i:unordered )?(?i:output):")
_GO_C_IMPORT = re.compile(rb"^\s*(?:import\s+)?(?:\(\s*)?\"C\"")
_DATA = {
    "ruby": re.compile(rb"^__END__\r?$", re.MULTILINE),
    "perl": re.compile(rb"^__(?:END|DATA)__\b", re.MULTILINE),
    "php": re.compile(rb"__halt_compiler\s*\(\s*\)\s*(?:;|\?>)", re.I),
}
_COPY = re.compile(rb"^COPY\b[^;]*\bFROM\s+stdin\b[^;]*;\r?\n(.*?)^\\\.\r?$", re.I | re.M | re.S)
_PRAGMA = re.compile(rb"@[a-zA-Z][\w-]*")


def magic(source: bytes, language: str) -> tuple[object, ...]:
    """Everything of that kind in ``source``; two files of equal code with equal magic are run and built alike."""
    body = source.removeprefix(b"\xef\xbb\xbf")
    lines = body.split(b"\n")
    own = _OWN.get(language)
    data = _DATA.get(language)
    found = data.search(body) if data else None
    return (
        len(body) - len(source),
        lines[0] if _SHEBANG.match(lines[0]) else None,
        _modelines(lines),
        own(body, lines) if own else None,
        body[found.end() :] if found else None,
    )


def _modelines(lines: list[bytes]) -> tuple[bytes, ...]:
    """The lines from which an editor takes settings; it reads both ends of the file only."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    ends = dict.fromkeys([*range(len(lines))[:MODELINE_LINES], *range(len(lines))[-MODELINE_LINES:]])
    return tuple(lines[at] for at in ends if _MODELINE.search(lines[at]))


def _python(body: bytes, lines: list[bytes]) -> object:
    cookie = None
    for line in lines[:2]:
        if found := _COOKIE.match(line):
            cookie = found[1]
            break
        if line.split(b"#")[0].strip():
            break
    return cookie, _PEP_723.findall(body)


def _ruby(body: bytes, lines: list[bytes]) -> object:
    """Magic comments among the leading comments; an encoding counts in the first two lines only."""
    found = []
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith(b"#"):
            break
        if (match := _RUBY.match(line)) and (number < 2 or b"coding" not in match[1].lower()):
            found.append((match[1].lower(), match[2]))
    return tuple(found)


def _dockerfile(body: bytes, lines: list[bytes]) -> object:
    found = []
    for line in lines:
        directive = _DOCKER.match(line)
        if directive is None:
            break
        found.append((directive[1].lower(), directive[2]))
    return tuple(found)


def _go(body: bytes, lines: list[bytes]) -> object:
    """The groups of comment lines that Go's tools read as a whole: build tags, directives, cgo's C, examples' output."""
    imports_c = any(_GO_C_IMPORT.match(line.strip()) for line in lines)
    groups: list[tuple[bytes, ...]] = []
    group: list[bytes] = []
    in_block = False
    for line in [*lines, b""]:
        text = line.strip()
        if in_block or text.startswith((b"//", b"/*")):
            group.append(text)
            in_block = (in_block or text.startswith(b"/*")) and b"*/" not in text
            continue
        is_import = _GO_C_IMPORT.match(text) or (imports_c and text.startswith(b"import"))
        if group and (is_import or any(_GO_READ.match(row) for row in group)):
            groups.append((*group, text))
        group = []
    return tuple(groups)


def _sql(body: bytes, lines: list[bytes]) -> object:
    return _COPY.findall(body)


def _script(body: bytes, lines: list[bytes]) -> object:
    """The pragmas of the very first comment, where there are any."""
    start = body.split(b"\n", 1)[-1] if body.startswith(b"#!") else body
    text = start.lstrip()
    if text.startswith(b"/*"):
        return tuple(_PRAGMA.findall(text.split(b"*/", 1)[0]))
    return tuple(_PRAGMA.findall(text.split(b"\n", 1)[0])) if text.startswith(b"//") else ()


def _first_line(body: bytes, lines: list[bytes]) -> object:
    """What is read from line 1 alone (`@charset`, `#cloud-config`, `swift-tools-version`, a schema)."""
    line = lines[0]
    kept = (
        b"@charset",
        b"#cloud-",
        b"# cloud-config",
        b"#jinja",
        b"## template",
        b"#:schema",
        b"%",
        b"<?xml",
        b"#compdef",
        b"#autoload",
    )
    return line if line.lower().startswith(kept) or b"swift-tools-version" in line else None


_OWN: dict[str, Callable[[bytes, list[bytes]], object]] = {
    "python": _python,
    "ruby": _ruby,
    "dockerfile": _dockerfile,
    "go": _go,
    "sql": _sql,
    "javascript": _script,
    "jsx": _script,
    "typescript": _script,
    "tsx": _script,
    **dict.fromkeys(("css", "scss", "yaml", "swift", "toml", "xml", "html", "bash"), _first_line),
}
