"""What can happen to the settings."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId


class AiSettingsChanged(Event, frozen=True, kw_only=True, tag="settings.ai_changed.v1"):
    """How the model is asked is different from now on; what did not change is unset. Prices are per million tokens."""

    changed_by: AccountId
    base_url: str | UnsetType | None = UNSET
    model: str | UnsetType = UNSET
    timeout_s: int | UnsetType = UNSET
    tries_max: int | UnsetType = UNSET
    answer_tokens_max: int | UnsetType = UNSET
    source_bytes_max: int | UnsetType = UNSET
    input_price_micros: int | UnsetType | None = UNSET
    output_price_micros: int | UnsetType | None = UNSET


class RetentionChanged(Event, frozen=True, kw_only=True, tag="settings.retention_changed.v1"):
    """Sources and the words of comments are kept for so many days from now on, what is stored already too."""

    changed_by: AccountId
    source_days: int | UnsetType = UNSET
    comment_days: int | UnsetType = UNSET


SettingsEvent = AiSettingsChanged | RetentionChanged

EVENTS: tuple[type[Event], ...] = (AiSettingsChanged, RetentionChanged)
"""Every event of this feature, for the catalogue."""
