"""Moments as they are kept: in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from hivesync_core.kernel.refusal import Invalid


class TimeRefused(Invalid):
    """A time in another zone that UTC has no date for, before the year 1 or after 9999; the facts name the ``field``."""

    code = "time.refused"
    title = "The time cannot be kept"


def in_utc(time: datetime, field: str) -> datetime:
    """The same moment in UTC, which a time without a zone is taken to be in; raises ``TimeRefused``."""
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise TimeRefused(
            f"{field}: {time.isoformat()} is before the year 1 or after 9999 in UTC.", field=field
        ) from error


def named_time(text: str) -> datetime:
    """The moment in UTC that a text names (RFC 3339); raises ``ValueError`` where it names none."""
    try:
        return msgspec.convert(text.upper(), datetime, strict=False).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time that there is") from error
