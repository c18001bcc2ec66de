"""Lexical readings of R, SQL, CSS, SCSS, Dockerfiles and HTML, where there is no grammar or where the grammar does not know a dialect.

In these, comments are blanks between tokens and nothing more, so tokens at their places and balanced brackets are all
that there is to compare. For HTML and Dockerfiles it is only where the tokens are: what they mean is compared by a second
proof (the standard's own parser; the builder's reading of instructions and here-documents).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from hivesync_core.comments.syntax_tree import Syntax

KINDS = ["", "string", "name", "number", "operator", "bracket", "command"]
_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_CLOSES = {b"(": b")", b"[": b"]", b"{": b"}"}
_BOM = b"\xef\xbb\xbf"

End = Callable[[bytes, "re.Match[bytes]"], int]
"""Where a token ends that a pattern can only begin; -1 where it does not."""


class Scanner(NamedTuple):
    """``token`` fits every token, its last group is the token's kind; ``ends`` finds the end of the kinds `open_...`."""

    token: re.Pattern[bytes]
    ends: dict[str, tuple[str, End]]

    def read(self, source: bytes) -> Syntax:
        """The tokens; what is no token, and a bracket or a literal that is not closed, is an error."""
        syntax = Syntax(0, [], [], [], [], [])
        brackets: list[bytes] = []
        at = len(_BOM) if source.startswith(_BOM) else 0
        while at < len(source):
            found = self.token.match(source, at)
            if found is None:
                return _failed(syntax, at)
            kind, end = found.lastgroup or "", found.end()
            if kind in self.ends:
                kind, find_end = self.ends[kind]
                end = find_end(source, found)
                if end < 0:
                    return _failed(syntax, at)
            if kind == "comment":
                syntax.comments.append((at, end - 1 if source[at:end].endswith(b"\r") else end))
            elif kind != "blank":
                if kind == "bracket" and not _balanced(found[0], brackets):
                    return _failed(syntax, at)
                syntax.tokens.append((_NUMBERS[kind], at, end))
                syntax.shape.append((len(brackets), _NUMBERS[kind]))
            at = end
        return _failed(syntax, len(source)) if brackets else syntax


def _balanced(bracket: bytes, brackets: list[bytes]) -> bool:
    if bracket in _CLOSES:
        brackets.append(_CLOSES[bracket])
        return True
    return bool(brackets) and brackets.pop() == bracket


def _failed(syntax: Syntax, at: int) -> Syntax:
    return syntax._replace(errors=1, error_ranges=[(at, at + 1)])


def _after(closing: Callable[[re.Match[bytes]], bytes]) -> End:
    def end(source: bytes, found: re.Match[bytes]) -> int:
        sign = closing(found)
        at = source.find(sign, found.end())
        return at + len(sign) if at >= 0 else -1

    return end


def nested_comment_end(source: bytes, at: int) -> int:
    """The end of a block comment that may hold others, as PostgreSQL reads it; -1 where it is not closed."""
    depth = 1
    while depth:
        closing = source.find(b"*/", at)
        if closing < 0:
            return -1
        opening = source.find(b"/*", at, closing)
        at, depth = (opening + 2, depth + 1) if opening >= 0 else (closing + 2, depth - 1)
    return at


_BLANKS = rb"(?P<blank>[ \t\r\n\f]+)"
_NAME = rb"(?P<name>(?:[A-Za-z_@]|[\x80-\xff])(?:[\w@$.-]|[\x80-\xff])*)"

R = Scanner(
    re.compile(
        rb"(?P<comment>#[^\n]*)|(?P<open_raw>[rR](?P<quote>[\"'])(?P<dashes>-*)(?P<bracket_of_raw>[(\[{]))|"
        rb"(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)|"
        rb"(?P<number>(?:0[xX][\da-fA-F.]+(?:[pP][-+]?\d+)?|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)[Li]?)|"
        rb"(?P<name>(?:[A-Za-z._]|[\x80-\xff])(?:[\w.]|[\x80-\xff])*)|(?P<bracket>[()\[\]{}])|"
        rb"(?P<operator>%[^%\n]*%|<<-|->>|\|>|<-|->|<=|>=|==|!=|&&|\|\||:::?|[-+*/^<>=!&|~?:,;$@\\])|" + _BLANKS,
        re.S,
    ),
    {
        "open_raw": (
            "string",
            _after(lambda found: _CLOSES[found["bracket_of_raw"]] + found["dashes"] + found["quote"]),
        )
    },
)
SQL = Scanner(
    re.compile(
        rb"(?P<comment>--[^\n]*)|(?P<block>/\*)|(?P<dollar>\$(?:[A-Za-z_]\w*)?\$)|(?P<command>(?:(?<=\n)|(?<![\s\S]))\\[^\n]*)|"
        rb"(?P<string>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)|"
        rb"(?P<number>\d[\w.]*)|" + _NAME.replace(b"$.-", b"$#") + rb"|(?P<bracket>[()\[\]{}])|"
        rb"(?P<operator>[-+*/<>=~!@#%^&|?:;,.$\\]|/(?!\*))|" + _BLANKS,
        re.S,
    ),
    {
        "block": ("comment", lambda source, found: nested_comment_end(source, found.end())),
        "dollar": ("string", _after(lambda found: found[0])),
    },
)
CSS = Scanner(
    re.compile(
        rb"(?P<comment>/\*.*?\*/)|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|(?i:url)\(\s*(?![\s\"'])[^)\"'(]*\)|<!--|-->)|"
        rb"(?P<number>[-+]?\.?\d[\w.%]*)|(?P<name>(?:[-A-Za-z_]|\\[^\n]|[\x80-\xff])(?:[\w-]|\\[^\n]|[\x80-\xff])*)|"
        rb"(?P<bracket>[()\[\]{}])|(?P<operator>/(?!\*)|[-+*<>=~!@#%^&|?:;,.$])|" + _BLANKS,
        re.S,
    ),
    {},
)

SCSS = Scanner(
    re.compile(
        rb"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|(?i:url)\(\s*(?![\s\"'])[^)\"'(]*\)|<!--|-->)|"
        rb"(?P<number>[-+]?\.?\d[\w.%]*)|(?P<name>(?:[-A-Za-z_]|\\[^\n]|[\x80-\xff])(?:[\w-]|\\[^\n]|[\x80-\xff])*)|"
        rb"(?P<bracket>[()\[\]{}])|(?P<operator>/(?![*/])|[-+*<>=~!@#%^&|?:;,.$])|" + _BLANKS,
        re.S,
    ),
    {},
)
DOCKERFILE = Scanner(
    re.compile(
        rb"(?P<comment>(?:(?<=\n)|(?<![\s\S]))[ \t]*#[^\n]*)|(?P<string>[^\s][^\n]*?(?=[ \t\r]*(?:\n|\Z)))|(?P<blank>\s)"
    ),
    {},
)


def _raw_end(source: bytes, found: re.Match[bytes]) -> int:
    closing = re.compile(rb"</%s(?=[\s/>])[^>]*>" % found["raw"], re.I).search(source, found.end())
    return closing.end() if closing else -1


HTML = Scanner(
    re.compile(
        rb"(?P<comment><!--(?!-?>).*?--!?>)|(?P<open_raw><(?P<raw>script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext)"
        rb"(?=[\s/>])(?P<raw_end>(?:[^>\"']|\"[^\"]*\"|'[^']*')*>))|"
        rb"(?P<operator><(?:!|\?|/?[A-Za-z])(?:[^>\"']|\"[^\"]*\"|'[^']*')*>)|(?P<string>[^<\s](?:[^<]*[^<\s])?|<)|(?P<blank>\s+)",
        re.S | re.I,
    ),
    {"open_raw": ("string", _raw_end)},
)
