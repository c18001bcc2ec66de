"""Refusals: what a rule answers when a command is understood and not allowed."""

from __future__ import annotations

from typing import Any, ClassVar


class Refusal(Exception):
    """A command that the rules do not allow now.

    ``code`` is stable and public (``task.not_a_reviewer``); ``title`` is one short sentence that never varies; the
    message says what is wrong in this case and what to do instead; ``facts`` are machine-readable and travel with the
    answer (for example the transitions allowed now).
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The command is not allowed"

    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(message or self.title)
        self.facts = facts

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        assert "code" in cls.__dict__, f"{cls.__name__} needs a stable code of its own"


class Conflict(Refusal):
    """The state does not allow it now; another state would."""

    code = "conflict"
    title = "The state does not allow this now"


class Forbidden(Refusal):
    """This person may not do it, whatever the state."""

    code = "forbidden"
    title = "This account may not do that"


class NotFound(Refusal):
    """There is no such thing, or none that this person may know of."""

    code = "not_found"
    title = "There is nothing here"


class Invalid(Refusal):
    """The command is well formed and makes no sense."""

    code = "invalid"
    title = "The command makes no sense"
