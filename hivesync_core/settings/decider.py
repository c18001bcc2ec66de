"""The rules of the settings: what each may be, and that only what changes is told (ADMIN-1, ADMIN-2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Invalid
from hivesync_core.kernel.text import one_line
from hivesync_core.settings.events import AiSettingsChanged, RetentionChanged, SettingsEvent

SETTINGS_ID: Final = UUID("5f1f0f5e-6c7b-5a3e-9d63-7c1f0a6c2b02")
"""The stream of the settings: an installation has one."""

PROVIDER: Final = "openai"
"""The protocol that is spoken: that of OpenAI, which other servers speak too."""

URL_MAX: Final = 500
MODEL_MAX: Final = 200

BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "timeout_s": (1, 1_800),
    "tries_max": (1, 3),
    "answer_tokens_max": (256, 131_072),
    "source_bytes_max": (1_024, 2_000_000),
    "input_price_micros": (0, 1_000_000_000),
    "output_price_micros": (0, 1_000_000_000),
    "source_days": (0, 3_650),
    "comment_days": (0, 36_500),
}
"""The least and the most that each number may be."""


class SettingRefused(Invalid):
    """A setting cannot have this value; the facts name the ``field``."""

    code = "settings.refused"
    title = "The setting cannot have this value"


class AiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the model is asked. Prices are millionths of a US dollar for a million tokens, none where none is known."""

    base_url: str | None = None
    model: str = "gpt-4.1"
    timeout_s: int = 180
    tries_max: int = 3
    answer_tokens_max: int = 16_384
    source_bytes_max: int = 524_288
    input_price_micros: int | None = 2_000_000
    output_price_micros: int | None = 8_000_000


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """For how many days submitted sources, and the words of comments, are kept; 0 is until the next turn."""

    source_days: int = 30
    comment_days: int = 365


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings."""

    ai: AiSettings = AiSettings()
    retention: Retention = Retention()


class ChangeAiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the model differently; what is unset stays."""

    by: AccountId
    base_url: str | UnsetType | None = UNSET
    model: str | UnsetType = UNSET
    timeout_s: int | UnsetType = UNSET
    tries_max: int | UnsetType = UNSET
    answer_tokens_max: int | UnsetType = UNSET
    source_bytes_max: int | UnsetType = UNSET
    input_price_micros: int | UnsetType | None = UNSET
    output_price_micros: int | UnsetType | None = UNSET


class ChangeRetention(msgspec.Struct, frozen=True, kw_only=True):
    """Keep sources and words for longer or shorter; what is unset stays."""

    by: AccountId
    source_days: int | UnsetType = UNSET
    comment_days: int | UnsetType = UNSET


SettingsCommand = ChangeAiSettings | ChangeRetention


def decide(state: ServerSettings, command: SettingsCommand) -> tuple[SettingsEvent, ...]:
    """The events that follow from ``command``, or a refusal."""
    match command:
        case ChangeAiSettings():
            changed = _changed(state.ai, command)
            return (AiSettingsChanged(changed_by=command.by, **changed),) if changed else ()
        case ChangeRetention():
            changed = _changed(state.retention, command)
            return (RetentionChanged(changed_by=command.by, **changed),) if changed else ()
        case _:
            assert_never(command)


def _changed(before: AiSettings | Retention, command: SettingsCommand) -> dict[str, Any]:
    """The fields of a command that say something else than what stands, checked."""
    wanted = {name: getattr(command, name) for name in before.__struct_fields__}
    checked = {name: _checked(name, value) for name, value in wanted.items() if value is not UNSET}
    return {name: value for name, value in checked.items() if value != getattr(before, name)}


def _checked(field: str, value: Any) -> Any:
    if value is None:
        return None
    if field == "base_url":
        return _url(value)
    if field == "model":
        return one_line(value, "model", chars_max=MODEL_MAX)
    least, most = BOUNDS[field]
    if not least <= value <= most:
        raise SettingRefused(f"{field} must be from {least} to {most}.", field=field)
    return value


def _url(text: str) -> str:
    url = one_line(text, "base_url", chars_max=URL_MAX)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SettingRefused(f"base_url is no address: {error}.", field="base_url") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingRefused("base_url must be an address such as https://api.openai.com/v1.", field="base_url")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingRefused("base_url must hold no password, query or fragment.", field="base_url")
    return url.rstrip("/")


def evolve(state: ServerSettings, event: Event) -> ServerSettings:
    """The settings after ``event``."""
    match event:
        case AiSettingsChanged():
            return replace(state, ai=_with(state.ai, event))
        case RetentionChanged():
            return replace(state, retention=_with(state.retention, event))
        case _:
            raise AssertionError(f"not an event of the settings: {event!r}")


def _with(before: Any, event: Event) -> Any:
    changed = {name: getattr(event, name) for name in before.__struct_fields__}
    return replace(before, **{name: value for name, value in changed.items() if value is not UNSET})


settings: Decider[ServerSettings, SettingsCommand] = Decider(
    name="settings", initial=ServerSettings(), decide=decide, evolve=evolve
)
"""The rules of the stream of the settings."""
