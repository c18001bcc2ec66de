"""What a comment may not say, because a compiler, a tool, an editor or a reader would take it for more than prose."""

from __future__ import annotations

import re

from hivesync_core.comments.characters import refuse_characters
from hivesync_core.comments.code_lines import reads_as_code, says_a_statement
from hivesync_core.comments.directives import refuse_directives
from hivesync_core.comments.model import CommentRefused
from hivesync_core.comments.payload import refuse_payload
from hivesync_core.comments.source_file import SourceFile

_CONTINUED = re.compile(r"(?:\\|\?\?/)[^\S\n]*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\u+")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#|<%|<\?|\$\{\{")
_PAGE_TEMPLATE = re.compile(
    r"[$#]\{|\{!!|\{\$|\[%|<[#@]\w|</?(?:cf|jsp:|TMPL_)\w|(?<!\w)@(?:include|extends|php|inject|component)\s*\(",
    re.IGNORECASE,
)
"""What engines of pages alone read: FreeMarker, Blade, Smarty, Template Toolkit, ColdFusion, JSP."""
_LEADING = re.compile(r"[/!#+>|^$%&:=~<\]}{\\;@]")
_DOC_TAG = re.compile(
    r"@(?:param|arg|return|returns|throws|exception|raise|raises|see|since|note|todo|example|brief|details|author|version|yield|yields)\b"
    r"(?!-)",
    re.IGNORECASE,
)
_LONG_BRACKET = re.compile(r"\[=*\[")
_OCAML_QUOTED = re.compile(r"\{%?%?[\w.]*(?: [\w]+)?\|")
_CPP_SIGNS = ("/*", "*/", "//")
_FENCE = re.compile(r"`{3}|~{3}|'{3}|\"{3}$")
_CONDITIONAL = re.compile(r"\[(?:if|endif|else)\b", re.IGNORECASE)
_HASKELL_CPP = re.compile(rb"\{-#[^#]*\bCPP\b", re.IGNORECASE)
_BACKTICK_CONTINUED = re.compile(r"`[^\S\n]*$", re.MULTILINE)


def refuse_text(content: str, file: SourceFile) -> None:
    """Raise `CommentRefused` where the text is not plain prose. Line ends are LF."""
    refuse_characters(content)
    _refuse_closers(content, file)
    _refuse_continuations(content, file)
    found = (file.language.templated and _TEMPLATE.search(content)) or (
        file.language.name == "html" and _PAGE_TEMPLATE.search(content)
    )
    if found:
        raise CommentRefused(
            "text.template",
            f"{found[0]!r} opens a template expression, and template engines run inside comments too. Leave it out.",
        )
    for line in content.split("\n"):
        _refuse_line(line.strip(), file)
    refuse_payload(content)


def _refuse_line(line: str, file: SourceFile) -> None:
    if not line:
        return
    if _LEADING.match(line) and not _DOC_TAG.match(line):
        raise CommentRefused(
            "text.leading_symbol",
            f"A line starts with {line[0]!r}, which makes many tools read a comment as more than a comment. "
            "Start the line with a word.",
        )
    refuse_directives(line, file.language.name)
    if _FENCE.match(line) or reads_as_code(line, file.language.name) or says_a_statement(line, file.source):
        raise CommentRefused(
            "text.code", "A line reads as code. A comment describes the code in words; leave out code that is not run."
        )


def _refuse_closers(content: str, file: SourceFile) -> None:
    lowered = content.lower()
    for closer in file.language.closers:
        if closer in lowered:
            raise _closes(closer)
    name = file.language.name
    rows = [row.strip() for row in content.split("\n")]
    if name == "lua" and any(_LONG_BRACKET.match(row) for row in rows):
        raise _closes("[[")
    if name == "ocaml" and _OCAML_QUOTED.search(content):
        raise _closes("{|")
    if name == "xml" and rows[-1].endswith("-"):
        raise _closes("-")
    if file.language.block[0] == "<!--":
        if any(_CONDITIONAL.match(row) for row in rows):
            raise _closes("[if")
        if rows[0].startswith("->") or rows[-1].endswith(("<!-", "--!")):
            raise _closes("->")
    if name == "haskell" and _HASKELL_CPP.search(file.source) and any(sign in content for sign in _CPP_SIGNS):
        raise _closes("/*")


def _closes(sign: str) -> CommentRefused:
    return CommentRefused(
        "text.terminator", f"{sign!r} opens or ends a comment or a string in this kind of file. Leave it out."
    )


def _refuse_continuations(content: str, file: SourceFile) -> None:
    if _CONTINUED.search(content) or (
        file.language.name in ("powershell", "dockerfile")
        and _BACKTICK_CONTINUED.search(content)
        and content.count("`") % 2
    ):
        raise CommentRefused(
            "text.continuation",
            "A line ends in a continuation, which can swallow the line below it. Add a word behind it.",
        )
    if file.language.name in ("java", "scala") and _ESCAPE.search(content):
        raise CommentRefused(
            "text.unicode_escape", r"'\u' is an escape in this language, even in comments. Write it differently."
        )
