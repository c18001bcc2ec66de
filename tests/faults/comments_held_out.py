"""Comments at random places of real files, with prose and with hostile text, judged by the languages' own compilers."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping

from hivesync_core.comments.text_lines import Lines
from tests.comments.held_out import Asked, Tally, hostile, judge, prose, tries, tries_at
from tests.comments.oracles import HERE, Oracle, missing, oracles
from tests.comments.real_files import find
from tests.faults.report import Claim, Figure, Report, at_least, at_most, none_of

FILES_EACH, TRIES_EACH = 80, 11
SUFFIXES = {
    "javascript": "jsx",
    "typescript": "ts",
    "makefile": "mk",
    "bash": "sh",
    "python": "py",
    "perl": "pl",
    "rust": "rs",
}
TRAPS = [json.loads(line) for line in (HERE.parent / "traps.jsonl").read_text(encoding="utf-8").splitlines()]
SHORT = {"python", "yaml", "toml", "css", "html", "xml", "sql", "bash"}
"""Whose judges answer at once."""


async def run(seed: int, *, short: bool = False) -> Report:
    """Put comments in, and compare what the check says with what the compilers say."""
    chance = random.Random(seed)
    judges = {language: one for language, one in oracles().items() if not short or language in SHORT}
    files = find(set(judges), each=4 if short else FILES_EACH, chance=chance, near=short)
    plain, wild = Tally.empty(), Tally.empty()
    for language, own in files.items():
        if sys.stderr.isatty():
            print(f"{language}: {len(own)} files", file=sys.stderr, flush=True)
        for tally, text, count in ((plain, prose, TRIES_EACH), (wild, hostile, TRIES_EACH // 4)):
            asked = [
                Asked(path, content, list(tries(language, path, content, count, chance, text))) for path, content in own
            ]
            judge(judges[language], asked, tally)
    traps = _traps(judges)
    return Report([*_claims(plain, wild, short=short), *traps], [*_figures(plain, wild)], _notes(plain, wild))


def _traps(judges: Mapping[str, Oracle]) -> list[Claim]:
    """Every line of small files that were made to mislead: literals, here-documents, continuations, macros, data."""
    tally = Tally.empty()
    for case in TRAPS:
        language, source = case["language"], case["source"].encode()
        if language in judges:
            lines = range(1, len(Lines(source)) + 1)
            made = [
                one for line in lines for one in tries_at(language, f"trap.{language}", source, line, "Explains it.")
            ]
            path = f"trap.{SUFFIXES.get(language, language)}"
            judge(judges[language], [Asked(path, source, made)], tally)
    return [
        at_least("lines of misleading files that were judged", sum(tally.judged.values()), 40),
        none_of(
            f"of them, accepted wrongly {[(one.language, one.comment) for one in tally.false_accepts]}".removesuffix(
                " []"
            ),
            len(tally.false_accepts),
        ),
    ]


def _claims(plain: Tally, wild: Tally, *, short: bool) -> list[Claim]:
    judged, changing = sum(plain.judged.values()), sum(plain.changing.values())
    refused = sum(plain.false_rejects.values())
    share = 100 * refused / max(1, judged - changing)
    return [
        at_least("insertions of prose that were judged", judged, 40 if short else 10_000),
        at_least("languages", len(plain.judged), 3 if short else 12),
        at_least("of them, insertions that would have changed the program", changing + sum(wild.changing.values()), 1),
        none_of("accepted, though the compiler reads another program", len(plain.false_accepts)),
        none_of("accepted with hostile text, though it reads another", len(wild.false_accepts)),
        at_most("refused, though harmless, of the harmless", share, 30 if short else 10, "%"),
    ]


def _figures(plain: Tally, wild: Tally) -> list[Figure]:
    causes: Counter[str] = Counter()
    for (_, code), count in plain.false_rejects.items():
        causes[code] += count
    return [
        Figure("insertions that change the program, of those judged", sum(plain.changing.values()), ""),
        Figure("accepted", sum(plain.accepted.values()), ""),
        *(Figure(f"harmless and refused: {code}", count, "") for code, count in causes.most_common()),
        Figure("insertions of hostile text that were judged", sum(wild.judged.values()), ""),
        Figure("of them, insertions that change the program", sum(wild.changing.values()), ""),
        Figure("of them, accepted", sum(wild.accepted.values()), ""),
    ]


def _notes(plain: Tally, wild: Tally) -> list[str]:
    by_language = []
    for language in sorted(plain.judged):
        refused = sum(count for (own, _), count in plain.false_rejects.items() if own == language)
        by_language.append(f"{language} {plain.judged[language]}/{plain.changing[language]}/{refused}")
    wrong = [f"{one.language} {one.path} {one.comment}" for one in (*plain.false_accepts, *wild.false_accepts)]
    absent = [f"no judge here of {language}: apt install {package}" for language, package in missing().items()]
    return ["judged/changing/harmless and refused: " + ", ".join(by_language), *wrong[:20], *absent]
