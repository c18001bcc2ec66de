"""What a door answers when somebody does not prove who they are, or tries too often."""

from __future__ import annotations

from typing import Literal

NotAuthenticatedReason = Literal["missing", "malformed", "invalid", "expired"]


class NotAuthenticated(Exception):
    """No token, or none that is good: 401 with ``WWW-Authenticate`` (RFC 6750, section 3).

    The answer never says more than it must: a revoked token reads like one that never was.
    """

    def __init__(self, reason: NotAuthenticatedReason = "invalid", message: str = "") -> None:
        super().__init__(message or _MESSAGES[reason])
        self.reason = reason

    @property
    def challenge(self) -> str:
        """The value of the ``WWW-Authenticate`` header."""
        if self.reason == "missing":
            return 'Bearer realm="hivesync"'
        return f'Bearer realm="hivesync", error="invalid_token", error_description="{_MESSAGES[self.reason]}"'


_MESSAGES: dict[NotAuthenticatedReason, str] = {
    "missing": "A bearer token is needed",
    "malformed": "The Authorization header does not hold a HiveSync token",
    "invalid": "The token is not valid here",
    "expired": "The token has expired",
}


class SignInRefused(Exception):
    """E-mail address and password do not belong together, or there is no such account: 401, and never which."""

    def __init__(self, message: str = "The e-mail address or the password is wrong.") -> None:
        super().__init__(message)


class ScopeMissing(Exception):
    """The token is good and does not reach that far: 403 (RFC 6750, ``insufficient_scope``)."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a token with the scope “{scope}”.")
        self.scope = scope

    @property
    def challenge(self) -> str:
        """The value of the ``WWW-Authenticate`` header."""
        return f'Bearer realm="hivesync", error="insufficient_scope", scope="{self.scope}"'


class RateLimited(Exception):
    """Too many attempts: 429 with ``Retry-After``."""

    def __init__(self, retry_after_s: int, message: str = "Too many requests; wait and try again.") -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SignInsBusy(Exception):
    """More passwords wait to be checked than the queue holds: 503 with ``Retry-After``."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Too many people sign in at this moment; try again in a few seconds.")


class OAuthError(Exception):
    """An error of RFC 6749, section 5.2, or RFC 8628, section 3.5: 400 with ``error`` and ``error_description``."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description = error, description


class FormExpired(Exception):
    """A page's form came back without its secret: 403, reload the page."""
