"""Scanners for what the grammars of SQL, CSS, PHP and Dockerfiles are not exact enough about."""

from __future__ import annotations

import re

_SQL_TOKEN = re.compile(
    rb"(?P<line>--[^\n]*)|(?P<block>/\*)|(?P<dollar>\$(?:[A-Za-z_][\w]*)?\$)|(?P<quote>['\"`])|"
    rb"(?P<bracket>\[)|(?P<hash>\#[^\n]*)|(?P<command>(?:(?<=\n)|(?<![\s\S]))\\[^\n]*)"
)
_SQL_QUOTED = {
    (quote, escapes): re.compile(
        rb"(?:[^%b\\]|\\.|%b%b)*(?:%b|\Z)" % ((quote,) * 4)
        if escapes
        else rb"(?:[^%b]|%b%b)*(?:%b|\Z)" % ((quote,) * 4),
        re.S,
    )
    for quote in (b"'", b'"', b"`")
    for escapes in (False, True)
}
_CSS_TOKEN = re.compile(
    rb"/\*.*?(?:\*/|\Z)|\"(?:[^\"\\\n]|\\.)*(?:\"|\n|\Z)|'(?:[^'\\\n]|\\.)*(?:'|\n|\Z)|"
    rb"(?P<url>(?:url|url-prefix|domain|src)\(\s*(?![\s\"'])[^)]*(?:\)|\Z))|"
    rb"(?P<custom>(?<![\w-])--[\w-]*\s*:)",
    re.S | re.I,
)
_CSS_CUSTOM_PART = re.compile(rb"/\*.*?(?:\*/|\Z)|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[(\[{]|[)\]}]|;", re.S)
_MAKE_DEFINE = re.compile(
    rb"^[ ]*(?:(?:export|override|unexport|private)[ \t]+)*(?:(?P<define>define)|endef)\b[^\n]*", re.MULTILINE
)
_KEPT_ELEMENT = re.compile(
    rb"<(?P<tag>pre|textarea|title|listing|xmp|option)\b[^>]*>.*?</(?P=tag)\s*>|"
    rb"<(?P<styled>[\w-]+)\b[^>]*white-space(?:-collapse)?\s*:\s*(?:pre|break|preserve)[^>]*>.*?</(?P=styled)\s*>",
    re.S | re.I,
)
_PHP_OPENS = re.compile(rb"<\?(?:php(?=\s|\Z)|=)", re.I)
_PHP_TOKEN = re.compile(
    rb"(?://|\#(?!\[))(?:(?!\?>)[^\n])*|/\*.*?(?:\*/|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z)|`(?:[^`\\]|\\.)*(?:`|\Z)|"
    rb"<<<[ \t]*(?P<quote>[\"']?)(?P<name>\w+)(?P=quote)\r?\n.*?(?:^[ \t]*(?P=name)\b|\Z)|(?P<closes>\?>)",
    re.S | re.M,
)
_SCALA_XML = re.compile(rb"(?<=[\s({=>,;])<(?P<tag>[A-Za-z_][\w.:-]*)(?:\s[^<>]*)?>.*?</(?P=tag)\s*>", re.S)
_HEREDOC = re.compile(rb"<<(?P<tabs>-?)(?:(?P<quote>[\"'])(?P<quoted>.+?)(?P=quote)|(?P<name>[^\s\"'<>|;&()]+))")
_ESCAPE = re.compile(rb"^[ \t]*#[ \t]*escape[ \t]*=[ \t]*([\\`])[ \t\r]*$", re.I | re.M)
_INSTRUCTION = re.compile(
    rb"\s*(?:FROM|RUN|CMD|LABEL|MAINTAINER|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ARG|ONBUILD|STOPSIGNAL|HEALTHCHECK|SHELL)"
    rb"(?:\s|$)",
    re.I,
)
_DOCKER_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*[a-zA-Z][a-zA-Z0-9]*[ \t]*=")


def sql_spans(source: bytes) -> list[tuple[int, int]]:
    """Strings, quoted names, dollar quotes and comments, as any of the dialects would read them: the union of all readings."""
    spans: set[tuple[int, int]] = set()
    for escapes in (False, True):
        for hashes in (False, True):
            for brackets in (False, True):
                for nests in (False, True):
                    spans.update(_sql_reading(source, escapes=escapes, hashes=hashes, brackets=brackets, nests=nests))
    return sorted(spans)


def _sql_reading(source: bytes, *, escapes: bool, hashes: bool, brackets: bool, nests: bool) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = 0
    while found := _SQL_TOKEN.search(source, at):
        start, end = found.span()
        kind = found.lastgroup
        if kind == "block":
            end = _sql_block_end(source, end, nests=nests)
        elif kind == "dollar":
            closing = source.find(found[0], end)
            end = closing + len(found[0]) if closing >= 0 else len(source) if source.count(found[0]) > 1 else end
        elif kind == "quote":
            match = _SQL_QUOTED[found[0], escapes].match(source, end)
            end = match.end() if match else len(source)
        elif kind == "bracket":
            closing = source.find(b"]", end) if brackets else -1
            end = closing + 1 if closing >= 0 else end
        elif kind == "hash" and not hashes:
            at = start + 1
            continue
        if kind not in ("line", "hash", "command"):
            spans.append((start, end))
        at = max(end, start + 1)
    return spans


def _sql_block_end(source: bytes, at: int, *, nests: bool) -> int:
    depth = 1
    while depth:
        closing = source.find(b"*/", at)
        if closing < 0:
            return len(source)
        opening = source.find(b"/*", at, closing) if nests else -1
        at, depth = (opening + 2, depth + 1) if opening >= 0 else (closing + 2, depth - 1)
    return at


def css_spans(source: bytes) -> list[tuple[int, int]]:
    """Unquoted addresses, in which there are no comments, and values of custom properties, of which a script sees every byte."""
    spans: list[tuple[int, int]] = []
    at = 0
    while found := _CSS_TOKEN.search(source, at):
        end = found.end()
        if found["url"]:
            spans.append(found.span())
        elif found["custom"]:
            end = _custom_end(source, end)
            spans.append((found.start(), end))
        at = max(end, found.start() + 1)
    return spans


def _custom_end(source: bytes, at: int) -> int:
    depth = 0
    while found := _CSS_CUSTOM_PART.search(source, at):
        at = found.end()
        if found[0] in (b"(", b"[", b"{"):
            depth += 1
        elif found[0] in (b")", b"]", b"}"):
            depth -= 1
            if depth < 0:
                return found.start()
        elif found[0] == b";" and depth == 0:
            return at
    return len(source)


def make_spans(source: bytes) -> list[tuple[int, int]]:
    """Variables of several lines, from their `define` to its `endef`: in them, `#` is text."""
    spans: list[tuple[int, int]] = []
    began: list[int] = []
    for found in _MAKE_DEFINE.finditer(source):
        if found["define"]:
            began.append(found.start())
        elif began and (start := began.pop()) >= 0 and not began:
            spans.append((start, found.end()))
    return spans + ([(began[0], len(source) + 1)] if began else [])


def markup_spans(source: bytes) -> list[tuple[int, int]]:
    """Elements that show blanks and line ends as they are, or hold text alone; by their tags, since no page is rendered here."""
    return [found.span() for found in _KEPT_ELEMENT.finditer(source)]


def php_spans(source: bytes) -> list[tuple[int, int]]:
    """What is sent to the browser as it is: everything before `<?php` and behind `?>`, the end of the file included."""
    spans: list[tuple[int, int]] = []
    at = outside = 0
    while opens := _PHP_OPENS.search(source, at):
        spans.append((outside - 1, opens.start() + 1))
        at = opens.end()
        while (found := _PHP_TOKEN.search(source, at)) and not found["closes"]:
            at = max(found.end(), at + 1)
        if found is None:
            return spans
        outside = found.start() + 1
        at = found.end()
    return [*spans, (outside - 1, len(source) + 1)]


def scala_spans(source: bytes) -> list[tuple[int, int]]:
    """XML literals, which the grammar takes for operators; in them, `//` is text."""
    return [found.span() for found in _SCALA_XML.finditer(source)]


def docker_instructions(source: bytes) -> list[bytes] | None:
    """The instructions with their continued lines joined and their here-documents, as the builder reads them.

    None where one of them is none that the builder knows.
    """
    lines = source.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    head = b"\n".join(
        lines[: next((at for at, line in enumerate(lines) if not _DOCKER_DIRECTIVE.match(line)), len(lines))]
    )
    escape = found[1] if (found := _ESCAPE.search(head)) else b"\\"
    continued = re.compile(rb"%b[ \t]*$" % re.escape(escape))
    instructions: list[bytes] = []
    current: list[bytes] = []
    rest = iter(lines)
    for line in rest:
        text = line.removesuffix(b"\r")
        if text.lstrip().startswith(b"#") or (not text.strip()):
            continue
        current.append(continued.sub(b"", text))
        if continued.search(text):
            continue
        whole = b"".join(current)
        if not _INSTRUCTION.match(whole):
            return None
        instructions.append(whole.strip())
        current = []
        if re.match(rb"\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\b", whole, re.I):
            for found in _HEREDOC.finditer(whole):
                name = found["quoted"] or found["name"]
                for body in rest:
                    instructions.append(body)
                    text = body.removesuffix(b"\r")
                    if (text.lstrip(b"\t") if found["tabs"] else text) == name:
                        break
    return [*instructions, b"unfinished", *current] if current else instructions
