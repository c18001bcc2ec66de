"""The safety proof of comments: what is inserted changes nothing but comments, shown by parsing before and after."""

from typing import TYPE_CHECKING, Any

from hivesync_core.comments.detection import language_of
from hivesync_core.comments.diff import unified_diff
from hivesync_core.comments.languages import LANGUAGES, Language
from hivesync_core.comments.model import Comment, FileRefused, Insertion, Proof, Refused, Report
from hivesync_core.comments.rebinding import rebind

if TYPE_CHECKING:
    from hivesync_core.comments.checking import COMMENTS_MAX, check

__all__ = [
    "COMMENTS_MAX",
    "LANGUAGES",
    "Comment",
    "FileRefused",
    "Insertion",
    "Language",
    "Proof",
    "Refused",
    "Report",
    "check",
    "language_of",
    "rebind",
    "unified_diff",
]


def __getattr__(name: str) -> Any:
    """The check is imported where it is first asked for: its parsers take long, and a server has it done elsewhere."""
    if name in ("COMMENTS_MAX", "check"):
        from hivesync_core.comments import checking

        return getattr(checking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
