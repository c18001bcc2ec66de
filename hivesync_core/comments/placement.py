"""Where a comment may not stand, though it would be one: above what must come first, and between lines that belong together."""

from __future__ import annotations

import re

from hivesync_core.comments.model import Comment, CommentRefused, Insertion
from hivesync_core.comments.protected_top import first_free_line
from hivesync_core.comments.source_file import SourceFile
from hivesync_core.comments.text_lines import BOM

_NEXT_LINE = re.compile(
    rb"(?:disable|ignore|suppress|enable|allow|expect|skip|todo)(?:[-_:](?:for[-_])?(?:this|next)\b|[ ]once\b|"
    rb"[ ]next\b(?=\s*(?:$|[\d:*-]|lines?\b)))(?!-file)|"
    rb"next[-_]line\b|nextline\b|(?:disable|ignore|suppress|skip|allow)\w*[ ](?:next[ ]line\b|line\b(?=\s*(?:$|[:(*-])))|"
    rb"for[ ](?:next\b(?:[ ]\d+)?[ ]lines?|[+]\d+[ ]lines?)\b|checkstyle[.: ]+suppress|codechecker_\w+\s*\[|translators?\s*:|"
    rb"mago-(?:ignore|expect)|codingStandardsIgnoreLine|"
    rb"NOLINTNEXTLINE|@ts-(?:ignore|expect-error)|"
    rb"(?:prettier|biome|dprint|deno-lint|deno-fmt|rome|oxlint|svelte|swift-format|tflint|checkov|"
    rb"stylua|html-validate|ktlint|oxfmt|csharpier|shfmt|squawk|infection|sql-formatter)-ignore\b(?!-(?:start|end|file))|"
    rb"(?:istanbul|[cv]8|node:coverage)\s+ignore|cppcheck-suppress|^[ \t]*//(?:go:(?!build\b|debug\b)|export\b|"
    rb"nolint\b|line\b)|shellcheck\s+(?:disable|source|shell|enable)|"
    rb"hadolint\s+ignore|yamllint\s+disable-line|ReSharper\s+disable\s+once|@(?:phpstan|psalm|"
    rb"phan)-\w+|phpcs:ignore\b|noinspection\b|tfsec:ignore|"
    rb"trivy:ignore|checkov:skip|renovate:|\$Flow(?:FixMe|Issue|ExpectedError|IgnoreError)|"
    rb"pylint:\s*disable-next|selene:\s*allow|stylua:\s*ignore\b(?!\s+(?:start|end))|"
    rb"luacheck:\s*(?:ignore|push)|##\s*no critic|HLINT\s+ignore|^[ \t]*//\s*ignore\s*:|"
    rb"coverage:ignore-line|[#@]__\w+__|webpack\w+:|"
    rb"gitleaks:allow|nosem(?:grep)?\b|codeql\[|lgtm\[|sourcery:\s*\w|swiftlint:disable:next|"
    rb"credo:disable-for-next|clang-format\s+off\s*$(?!)|"
    rb"^[ \t]*--\s*name:\s*[\w-]+\s*(?:$|[:^$!<*#])|//\s*rustfmt::?skip|cbindgen:ignore|fmt:\s*skip|dialyzer|sqlfluff|noqa:\s*next|"
    rb"semgrep\s*[:-]|"
    rb"stryker\s+disable\s+(?:next|once)|mutant:|"
    rb"\b(?:pyre|trunk|deno-coverage|swc|react-compiler|lint|jarl)-(?:ignore|fixme)\b|fixit:\s*ignore|"
    rb"(?:pyrefly|ty|ruff|static analysis):\s*ignore|"
    rb"skipcq\b|(?:snyk|deepcode|devskim)\s*:?\s*ignore|kics-scan\s+ignore|sourcery\s+skip|@(?:deno|ts|ts-self)-types\s*=|"
    rb"\$Flow\w+|@vite-ignore|(?:turbopack|rspack)\w+\s*:|@?ng-?Inject\b|/\*\s*(?:GraphQL|html|css|sql|glsl|HTML|CSS|SQL)\s*\*/|"
    rb"^[ \t]*(?:#|//|--|/\*|<!--)\s*lang(?:uage)?\s*=|coverity\s*\[|lint\s+-e[{(]|-V(?:::?)?\d|flawfinder\s*:\s*ignore|"
    rb"parasoft-\w+|\b(?:ARGSUSED|PRINTFLIKE\d*|SCANFLIKE\d*|VARARGS\d*|CONSTCOND|LINTED|NOSTRICT)\b|axivion|polyspace\b|PRQA\s+S\b|"
    rb"expected-\w+@[-+]|lint:ignore|#\s*nosec\b|periphery:ignore|rtl\s*:|@?noflip\b|purgecss\s+ignore|"
    rb"<!--\s*(?:display\s*:|suppress\b|@vue-)|prettier-ignore-attribute|^[ \t]*---[ \t]*@|#\s*@schema\b|"
    rb"@phan-|wallaby:|css-ignore|disable[ ]once\b|expect_lint\s*:|uncoverable\s|sobelow_skip|nolint\s+next",
    re.IGNORECASE,
)
"""What a comment that has a line for itself says and that acts on the line below it."""
_NEXT_LINE_OF = {
    "go": re.compile(rb"^[ \t]*//(?!go:)[a-z]+:[a-z]"),
    **dict.fromkeys(("python", "ruby"), re.compile(rb"^[ \t]*#:")),
    "yaml": re.compile(rb"^[ \t]*#(?:\s*--\s|\s*@(?:default|ignored?|raw|section|notationType)\b|@)"),
    "bash": re.compile(rb"^[ \t]*#\s*@(?:cmd|describe|meta|env|alias|(?:arg|flag|option)\s+[-\w])"),
}
"""The same in files of one language: Go's directives have no blank; what documents
a key or a command takes all lines below it; `#:` documents an attribute for Sphinx and types a method for Ruby."""
_NEXT_LINE_BEHIND = re.compile(
    rb"(?:^|\s|[(\[{,;])(?:/\*|//|#|--|<!--)(?:\s*(?:GraphQL|html|css|sql|glsl)\s*\*/\s*$|(?:(?!\*/|-->).){0,240}?"
    rb"(?:next[-_]line\b|nextline\b|(?:disable|ignore|suppress|allow|expect)[-_:](?:for[-_])?next\b|@ts-(?:ignore|expect-error)|"
    rb"\$Flow\w+|[#@]__\w+__|webpack\w+:|@vite-ignore|(?:istanbul|[cv]8|node:coverage)\s+ignore\s+(?:next|if|else)|"
    rb"lang(?:uage)?\s*=)(?:(?!\*/).){0,240}(?:\*/\s*)?$)",
    re.IGNORECASE,
)
"""What acts on the line below even behind code; most of what stands there (`# nosec`, `// NOLINT`) is about its own line."""
_COMMENT_LINE = re.compile(
    rb"(?![ \t]*/\*(?:(?!\*/).)*\*/[ \t]*[^\s/])[ \t]*\{?[ \t]*(?:#|//|--|/\*|\*|<!--|\(\*|;|\{-)"
)
"""A line with a comment and no code: in JSX it stands in braces."""
_DOC_LINE = re.compile(rb"[ \t]*///(?!/)")
DOC_LINES = frozenset({"java", "swift", "dart", "csharp", "c", "cpp", "kotlin", "scala"})
"""Languages whose `///` lines make one text: a line between them ends it. In Rust each is an attribute of its own."""
_HADDOCK = re.compile(rb"(?:^|\s)--\s*[\^|]")
_HADDOCK_LINE = re.compile(rb"[ \t]*--(?!-)")
_HELP = re.compile(
    rb"^[ \t#]*\.(?:synopsis|description|parameter|example|notes|link|inputs|outputs)\b", re.IGNORECASE | re.MULTILINE
)
_HASH_LINE = re.compile(rb"[ \t]*#(?!>)")
_CONTINUED = re.compile(rb"(?:\\|\?\?/)[ \t]*$")
_BACKTICK = re.compile(rb"`[ \t]*$")
CONTINUES = frozenset(
    {
        "c",
        "cpp",
        "bash",
        "makefile",
        "python",
        "ruby",
        "elixir",
        "javascript",
        "jsx",
        "typescript",
        "tsx",
        "lua",
        "haskell",
        "perl",
    }
)
_REASON_TOP = (
    "This line has to stay at the top of the file (a shebang, an encoding line, a pragma, a build tag or a parser directive). "
    "Choose a line below it."
)


def file_is_markup(file: SourceFile) -> bool:
    """Whether comments of this language stand between tags."""
    return file.language.block[0] == "<!--"


class Placement:
    """The rules of place for one file; ``top`` is the first line below what must stay at the top."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self.top = first_free_line(file)
        self._seen: set[tuple[int, bytes]] = set()

    def refuse(self, comment: Comment, insertion: Insertion) -> None:
        """Raise `CommentRefused` where the comment may not stand."""
        lines, name = self._file.lines, self._file.language.name
        if insertion.line < self.top:
            raise CommentRefused("place.top", _REASON_TOP)
        if insertion.line > len(lines) and not lines.raw(len(lines)).endswith(b"\n"):
            raise CommentRefused("place.top", "The file has nothing below its prologue, not even a line end. Add one.")
        if file_is_markup(self._file):
            self._refuse_between_words(insertion)
        if name == "makefile" and insertion.line <= len(lines):
            self._refuse_recipe(insertion.line)
        self._refuse_adjacent(insertion.line)
        self._refuse_duplicate(insertion)

    def _refuse_between_words(self, insertion: Insertion) -> None:
        """In markup a comment stands between tags: beside text it would split it, inside a tag it would be none."""
        source, is_svelte = self._file.source, self._file.language.name == "svelte"
        before = source[: insertion.offset].rstrip().removeprefix(BOM)
        behind = source[insertion.offset :].lstrip()
        ends, begins = (b">", b"}") if is_svelte else (b">",), (b"<", b"{") if is_svelte else (b"<",)
        if (before and insertion.line != self.top and not before.endswith(ends)) or (
            behind and not behind.startswith(begins)
        ):
            raise CommentRefused(
                "place.between_words",
                "The comment would stand in a text or a tag. Choose a line that begins with a tag.",
            )

    def _refuse_recipe(self, line: int) -> None:
        if self._file.lines.raw(line).startswith(b"\t") or b".RECIPEPREFIX" in self._file.source:
            raise CommentRefused(
                "place.recipe",
                "This is a recipe line: its shell would be given the comment. Choose the line of the target.",
            )

    def _refuse_adjacent(self, line: int) -> None:
        lines, name = self._file.lines, self._file.language.name
        above = line - 1
        while above >= 1 and not lines.text(above).strip():
            above -= 1
        if above < 1:
            return
        text = lines.text(above)
        if name in DOC_LINES and line <= len(lines) and _DOC_LINE.match(text) and _DOC_LINE.match(lines.text(line)):
            raise CommentRefused(
                "place.doc_comment", "The comment would split the documentation comment around it. Choose another line."
            )
        if name == "haskell" and above == line - 1 and self._is_haddock(above):
            raise CommentRefused(
                "place.doc_comment", "The comment would join the documentation comment above it. Choose another line."
            )
        pattern = _BACKTICK if name == "powershell" else _CONTINUED if name in CONTINUES else None
        if pattern and pattern.search(text):
            raise CommentRefused(
                "place.continuation",
                "The line above continues into this one. Choose the line where the statement begins.",
            )
        own = _NEXT_LINE_OF.get(name)
        is_comment = bool(_COMMENT_LINE.match(text))
        if (is_comment and (_NEXT_LINE.search(text) or (own and own.search(text)))) or _NEXT_LINE_BEHIND.search(text):
            raise CommentRefused(
                "place.directive_above",
                "The line above is a directive for this line and has to stay right above it. Choose the directive's line.",
            )
        if name == "powershell" and self._is_help(above):
            raise CommentRefused(
                "place.help_above", "The comment would join the help text above it. Choose another line."
            )

    def _is_haddock(self, above: int) -> bool:
        """Whether the comment lines down to ``above`` begin as documentation, which goes on over all lines with `--`."""
        lines = self._file.lines
        while above > 1 and _HADDOCK_LINE.match(lines.text(above)) and not _HADDOCK.search(lines.text(above)):
            above -= 1
        return bool(_HADDOCK.search(lines.text(above)))

    def _is_help(self, above: int) -> bool:
        while above > 1 and _HASH_LINE.match(self._file.lines.text(above)):
            if _HELP.search(self._file.lines.text(above)):
                return True
            above -= 1
        end = self._file.lines.start(above) + len(self._file.lines.text(above).rstrip())
        return any(
            comment_end == end and _HELP.search(self._file.source[start:comment_end])
            for start, comment_end in self._file.syntax.comments
        )

    def _refuse_duplicate(self, insertion: Insertion) -> None:
        lines = self._file.lines
        rows = [row.strip() for row in insertion.text.split(b"\n")[:-1]]
        above = [lines.text(line).strip() for line in range(max(1, insertion.line - len(rows)), insertion.line)]
        key = (insertion.offset, insertion.text)
        if above == rows or key in self._seen:
            raise CommentRefused("place.duplicate", "The same comment is already there.")
        self._seen.add(key)
