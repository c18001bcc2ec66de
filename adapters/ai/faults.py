"""What can go wrong when a model is asked. No message quotes the file, the prompt or the answer (R6)."""

from __future__ import annotations

from typing import ClassVar


class AskingFailed(Exception):
    """The model gave no answer that could be used.

    ``code`` is stable. ``is_passing`` says that the same question may be answered in a moment; ``retry_after_s`` is
    when the provider wants to be asked again, where it said so.
    """

    code: ClassVar[str] = "provider.failed"
    is_passing: ClassVar[bool] = False
    retry_after_s: float | None = None


class ProviderBusy(AskingFailed):
    """It has too many requests (429), or asks for patience."""

    code = "provider.busy"
    is_passing = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ProviderBroken(AskingFailed):
    """It answered 5xx."""

    code = "provider.broken"
    is_passing = True


class ProviderSilent(AskingFailed):
    """It did not answer in time."""

    code = "provider.timeout"
    is_passing = True


class ProviderUnreachable(AskingFailed):
    """No connection, or one that broke."""

    code = "provider.unreachable"
    is_passing = True


class AnswerCut(AskingFailed):
    """The answer ended before it was whole."""

    code = "answer.cut"
    is_passing = True


class AnswerMalformed(AskingFailed):
    """The answer is not of the form that was asked for."""

    code = "answer.malformed"
    is_passing = True


class AnswerTooLong(AskingFailed):
    """The answer needs more tokens than the settings allow."""

    code = "answer.too_long"


class AnswerTooLarge(AskingFailed):
    """The answer has more bytes than any list of comments."""

    code = "answer.too_large"


class ProviderRefusesUs(AskingFailed):
    """It does not take the request: the key, the model or a parameter is wrong."""

    code = "provider.refuses_us"


class NoKey(AskingFailed):
    """No key is set."""

    code = "provider.no_key"


class ModelRefused(Exception):
    """The model will not do it; that is an answer, and asking again is not better."""

    code: ClassVar[str] = "model.refused"
