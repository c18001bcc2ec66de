"""Comments that tools obey: compilers, linters, formatters, coverage, bundlers, editors, bots. A model may write none of them.

A directive counts where it would be obeyed: at the start of a line, or behind another comment sign in it; the same words in a
sentence are prose, save the few that tools search a whole line for. The general forms come first, so that a tool nobody has
heard of is caught too; the tables hold what has a form of its own.
"""

from __future__ import annotations

import re

from hivesync_core.comments.characters import plain_letters
from hivesync_core.comments.directive_families import OWN, OWN_OF
from hivesync_core.comments.directive_tables import ANY_CASE, AS_WRITTEN, WITHIN
from hivesync_core.comments.model import CommentRefused

_VERBS = (
    r"(?:disable|enable|ignore|suppress|skip|allow|exempt|expect|off|on|nocheck|check|start|stop|"
    r"begin|end|restore|keep|exclude|include)"
)
_SPOKEN = (
    "note|todo|fixme|xxx|hack|hint|tip|warning|caution|important|example|default|returns?|args?|"
    "raises?|yields?|see|usage|e\\.g|"
    "i\\.e|step|case|optional|required|input|output|result|reason|why|how|what|when|where|https?|"
    "ftps?|file|mailto|std|re"
)
_PAIRS = (
    r"(?:(?:key|name|host(?:name)?|ip|addr(?:ess)?|user(?:name)?|login|client|id|image|file|path|line|row|min|low|width|first):"
    r"(?:value|val|port|pass(?:word)?|secret|tag|line|col(?:umn)?|max|high|height|last)s?\b|"
    r"node:(?:fs|path|os|https?|url|util|crypto|streams?|events|buffer|net|process|zlib|child_process|worker_threads|assert)\b|"
    r"[\w.-]+:{1,2}(?:hover|focus|active|visited|(?:first|last|nth)-child|before|after|root)\b|"
    r"sha\d+:[\da-f]|urn:\w+:)"
)
"""Words with a colon between them that are names of things: `host:port`, `a:hover`."""
_COMPOUNDS = (
    r"(?:add|auto|back|bolt|book|bounds|bring|built|call|carry|clip|close|cold|cross|cut|day|dead|double|drop|early|error|face|fast|"
    r"follow|front|hand|hands|hard|head|health|high|hop|hot|jump|kick|lay|lift|log|low|month|null|one|open|opt|pay|pick|play|pre|"
    r"quick|range|rear|re|roll|run|sanity|self|show|shut|sign|size|slow|soft|spell|spin|spot|stand|tail|take|time|tip|top|trade|"
    r"try|turn|type|up|walk|warm|week|write|year)-(?:on|off|end|start|stop|check|begin|include|keep)s?\b"
)
"""Words that end like a directive's and are none: `trade-off`, `health-check`."""
_FORMS = (
    # gitleaks:allow, go:linkname, phpcs:ignoreFile: a word, a colon and a word without a blank
    re.compile(rf"(?!(?:{_SPOKEN}):|{_PAIRS})[A-Za-z][\w.-]*:(?=[A-Za-z*@$\[(-])(?!:|//)", re.IGNORECASE),
    # pylint: disable=x, mypy: ignore-errors, fmt: off; "Cache: off" begins a sentence
    re.compile(
        rf"(?!(?i:{_SPOKEN})\b)(?!(?!Type|Fmt|Lint|Format)[A-Z][a-z]+\s*:)[A-Za-z][\w.-]*\s*:\s*(?i:(?:no[-_]?|un)?{_VERBS}(?:d|s)?)\b(?:[-_=:\[(,]|\s*$|"
        rf"\s+\w+(?:[=:]|-[\w-]+\s*(?:$|,))|\s*(?i:next|all)\b)",
    ),
    # eslint-disable-next-line, prettier-ignore, biome-ignore
    re.compile(
        rf"(?!{_COMPOUNDS})@?[A-Za-z][\w.]*(?:-\w+)*-(?:{_VERBS})(?:-[\w-]+)?(?=\s*$|\s*[:(\[]|"
        rf"\s+[\w@/]+(?:[-/:,@]\w+)+|\s+--|\s+(?:all|next|line|file)\b)",
        re.IGNORECASE,
    ),
    # webpackIgnore: true, @x = "y"
    re.compile(r"[a-z]+[A-Z]\w*\s*:\s*(?:true|false|null|\d+|['\"\[/].*)\s*,?$"),
    # LCOV_EXCL_START, GCOVR_EXCL_LINE: a constant's name alone
    re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?:\(.*\))?\s*[:;]?$"),
)

_MODELINE = re.compile(
    r"(?:^|\s)(?:vi|vim|vim[<=>]?\d+|ex)\s*:\s*(?:set?\s|[a-z]+\s*[=:!]|no[a-z]+\b)|-\*-|"
    r"\blocal variables\s*:|\bkate\s*:|"
    r"(?:^|\s|:)(?:folding|collapseFolds|tabSize|indentSize|noTabs|indent-mode|"
    r"tab-width)\s*[=:]\s*\w+\s*[:;]|\s:mode=[\w+-]+:|^End:$",
    re.IGNORECASE,
)
_LICENCES = r"(?:MIT|ISC|(?:\d-Clause )?BSD|Apache|[AL]?GPL|MPL|EPL|zlib|Boost|Mozilla Public)"
_LEGAL = re.compile(
    r"SPDX-|^SPDX\s*:|\bcopyright\b\s*(?:\(c\)|©|:|\d{4}|by\b)|\(c\)\s*(?:\d{4}|copyright\b)|©(?!\s*(?:is|sign|symbol|character|and|or|in|not|must|should|needs?)\b)|\bcopr\.\s|"
    r"\ball rights reserved|\blicen[sc]ed\s+(?:under|to|by)\b|"
    r"\b(?:distributed|provided|published|available)\s+under\b.*\b(?:licen[sc]e|GPL|MIT|BSD|Apache)\b|"
    r"\bthis (?:program|file|library|software|code) is free software\b|"
    r"\bthis file is part of\b.*\b(?:A?L?GPL|licen[sc]e)|\bsoftware is provided\b.*\bas[ -]is\b|"
    r"\bpermission is hereby granted\b|\breleased under\b.*\blicen[sc]e\b|\bwithout warrant(?:y|ies)\b|"
    r"\bsubject to the terms\b.*\blicen[sc]e\b|^licen[sc]e(?:-file)?\s*:\s*(?!see\b)\S+|\bGNU (?:lesser |"
    r"affero )?general public licen[sc]e\b|"
    r"\b(?:in|into|to) the public domain\b|^public domain\s*(?:$|[.,:;!-]|by\b|dedication\b)|"
    rf"^(?:the )?{_LICENCES}\b[\w .,-]{{0,20}}\blicen[sc]e\b[\w .,-]{{0,15}}$|^(?:Apache|[AL]?GPL|MPL|BSD)-\d|"
    rf"^under (?:the )?(?:terms of the )?{_LICENCES}\b|\(c\)\s+[a-z]\w.*\b\d{{4}}\b|"
    r"\bconfidential and proprietary\b|\bproprietary and confidential\b|"
    r"\bunauthori[sz]ed (?:copying|use|reproduction|distribution) of this\b",
    re.IGNORECASE,
)


def _table(patterns: tuple[str, ...], flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags)


_ANY_CASE = _table(ANY_CASE, re.IGNORECASE)
_AS_WRITTEN = _table(AS_WRITTEN)
_WITHIN = _table(WITHIN)
_OWN = {family: _table(patterns) for family, patterns in OWN.items()}
_NESTED = re.compile(r"(?:^|\s)(?:#+|//+|/\*+|--+|<!--)\s*(?=\S)")
"""Another comment sign within the line: `x  # noqa`. Tools search for such, wherever the comment began."""
_BULLET = re.compile(r"(?:[-*+]|\d+[.)])\s+")


def refuse_directives(line: str, language: str) -> None:
    """Raise `CommentRefused` where ``line`` (without blanks around it) is one that a tool obeys, or that says what is lawful."""
    line = plain_letters(line)
    if _MODELINE.search(line):
        raise CommentRefused("text.modeline", "An editor would take settings from this line. Say it in other words.")
    if _LEGAL.search(line):
        raise CommentRefused(
            "text.legal", "The line states a copyright or a licence, which only a person may state. Leave it out."
        )
    if found := _directive(line, language):
        raise CommentRefused(
            "text.directive",
            f"The line holds {found[0].strip()[:40]!r}, which a tool may obey as a directive. Say it in other words.",
        )


def _directive(line: str, language: str) -> re.Match[str] | None:
    """What a tool would obey: at the start, behind another comment sign, behind a bullet, or anywhere where it is searched for."""
    own = [_OWN[family] for family in OWN_OF.get(language, ())]
    patterns = (*_FORMS, _ANY_CASE, _AS_WRITTEN, *own)
    starts = [0, *(found.end() for found in _NESTED.finditer(line))]
    for pattern in patterns:
        for start in starts:
            if found := pattern.match(line[start:]):
                return found
    bullet = _BULLET.match(line)
    return (_ANY_CASE.match(line[bullet.end() :]) if bullet else None) or _WITHIN.search(line)
