"""Why a review refuses a command."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound


class ReviewNotFound(NotFound):
    """No review has this id, or none that the asker may know of."""

    code = "review.not_found"
    title = "There is no such review"


class ReviewExists(Conflict):
    """The id is taken."""

    code = "review.exists"
    title = "The review exists already"


class ReviewsReadOnly(Forbidden):
    """Owners and members have files documented and decide on comments; auditors read."""

    code = "review.read_only"
    title = "This account may only read reviews"


class NotYourReview(Forbidden):
    """Who may cancel a review: who asked for it, or an owner of its project."""

    code = "review.not_yours"
    title = "This review is somebody else's"


class NotARecaller(Forbidden):
    """Who may retract comments: an owner of the project, or an admin of the server."""

    code = "review.not_a_recaller"
    title = "Only an owner or an admin may retract comments"


class ReviewNotRunning(Conflict):
    """It has ended; the facts name the ``status``."""

    code = "review.not_running"
    title = "The review is not being made any more"


class ReviewNotOpen(Conflict):
    """Comments are decided on while a review is ready; the facts name the ``status``."""

    code = "review.not_open"
    title = "Nothing can be decided on this review"


class CommentNotFound(NotFound):
    """The review has no comment of this index, or it was refused; the facts name the ``index``."""

    code = "review.comment_not_found"
    title = "There is no such comment"


class CommentIsRetracted(Conflict):
    """The comment was called back; the facts name the ``index``."""

    code = "review.comment_retracted"
    title = "The comment was retracted"


class NothingApproved(Conflict):
    """There is no approved comment to insert."""

    code = "review.nothing_approved"
    title = "No comment is approved"


NO_DOCSTRINGS = (
    "Docstrings are not written: a docstring is code, which programs read as `__doc__`, and an accepted comment leaves every token "
    "of the code as it is. Ask for comments; a header comment may say what the file is for."
)
"""What whoever asks for docstrings is told. There is no proof that could be given for one (R1)."""


class StyleRefused(Invalid):
    """The wanted style makes no sense; the facts name the ``field``."""

    code = "review.style_refused"
    title = "The style makes no sense"
