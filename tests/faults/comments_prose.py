"""Comments that people wrote, below the heads of real files: how many of them the rules of text refuse, and why."""

from __future__ import annotations

import random

from tests.comments.human_prose import counted
from tests.faults.report import Figure, Report, at_least, at_most

FILES_EACH = 220


async def run(seed: int, *, short: bool = False) -> Report:
    """Count them; the same seed takes the same files."""
    found, causes = counted(6 if short else FILES_EACH, random.Random(seed), near=short)
    total, refused = sum(found.values()), sum(causes.values())
    return Report(
        [
            at_least("comments that people wrote", total, 10 if short else 5_000),
            at_most("refused of them", 100 * refused / max(1, total), 25 if short else 7, "%"),
        ],
        [
            *(Figure(f"refused: {code}", count, "") for code, count in causes.most_common()),
            *(Figure(f"comments in {language}", count, "") for language, count in found.most_common()),
        ],
        [
            "own-line comments below the first one of a file, four words or more, three quarters letters and blanks; no documentation "
            "comments, no notices of copyright; many of the refused are directives, examples and commented-out code"
        ],
    )
