"""Generated comments at generated places of real files: tokens equal, bytes restored, Python's own parsers agree, diffs apply."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from hivesync_core.comments import LANGUAGES, FileRefused, check
from tests.comments.properties import asked, diff_applies, violations
from tests.comments.real_files import find
from tests.faults.report import Figure, Report, at_least, none_of

FILES_EACH, COMMENTS_EACH, ROUNDS = 60, 8, 3
DIFFS_EVERY = 5


async def run(seed: int, *, short: bool = False) -> Report:
    """Ask, and look at every report with other eyes."""
    chance = random.Random(seed)
    files = find(set(LANGUAGES), each=3 if short else FILES_EACH, chance=chance, near=short)
    tried: Counter[str] = Counter()
    refused_files, diffs, broken = 0, 0, []
    for language, own in files.items():
        for path, content in own:
            for turn in range(1 if short else ROUNDS):
                comments = asked(content, COMMENTS_EACH, chance)
                found = violations(content, language, comments)
                if found is None:
                    refused_files += 1
                    break
                tried[language] += len(comments)
                broken += [f"{path}: {one}" for one in found]
                if turn == 0 and sum(tried.values()) % DIFFS_EVERY == 0:
                    diffs += 1
                    broken += [f"{path}: {one}" for one in _diff(path, content, language, comments)]
    return Report(
        [
            at_least("comments tried", sum(tried.values()), 40 if short else 20_000),
            at_least("languages", len(tried), 3 if short else 12),
            at_least("diffs applied by git and by patch", diffs, 1 if short else 100),
            none_of("violations", len(broken)),
        ],
        [
            Figure("files refused as a whole", refused_files, ""),
            *(Figure(language, n, "comments") for language, n in tried.items()),
        ],
        broken[:20],
    )


def _diff(path: str, content: bytes, language: str, comments: list[dict[str, object]]) -> list[str]:
    try:
        return diff_applies(Path(path).name, content, check(content, language, comments))
    except FileRefused:
        return []
