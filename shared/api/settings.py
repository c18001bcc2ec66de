"""Settings that admins change while the server runs, and retention with its dry run (ADMIN-1, ADMIN-2)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from shared.api.base import ONE_LINE, Answer, Request


class AiSettingsPatch(Request, frozen=True, kw_only=True):
    """How the model is asked; what is left out stays. Prices are millionths of a US dollar for a million tokens."""

    base_url: Annotated[str, Meta(max_length=500, pattern=ONE_LINE)] | UnsetType | None = UNSET
    model: Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)] | UnsetType = UNSET
    timeout_s: Annotated[int, Meta(ge=1, le=1_800)] | UnsetType = UNSET
    tries_max: Annotated[int, Meta(ge=1, le=3)] | UnsetType = UNSET
    answer_tokens_max: Annotated[int, Meta(ge=256, le=131_072)] | UnsetType = UNSET
    source_bytes_max: Annotated[int, Meta(ge=1_024, le=2_000_000)] | UnsetType = UNSET
    input_price_micros: Annotated[int, Meta(ge=0, le=1_000_000_000)] | UnsetType | None = UNSET
    output_price_micros: Annotated[int, Meta(ge=0, le=1_000_000_000)] | UnsetType | None = UNSET


class RetentionPatch(Request, frozen=True, kw_only=True):
    """For how many days sources and the words of comments are kept; what is left out stays."""

    source_days: Annotated[int, Meta(ge=0, le=3_650)] | UnsetType = UNSET
    comment_days: Annotated[int, Meta(ge=0, le=36_500)] | UnsetType = UNSET


class SettingsPatch(Request, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    ai: AiSettingsPatch = AiSettingsPatch()
    retention: RetentionPatch = RetentionPatch()


class ShownAiSettings(Answer, frozen=True, kw_only=True):
    """How the model is asked. Whether a key is set is told, the key never."""

    provider: str
    base_url: str | None
    model: str
    timeout_s: int
    tries_max: int
    answer_tokens_max: int
    source_bytes_max: int
    input_price_micros: int | None
    output_price_micros: int | None
    key_is_set: bool


class ShownRetention(Answer, frozen=True, kw_only=True):
    """For how many days things are kept."""

    source_days: int
    comment_days: int


class ShownSettings(Answer, frozen=True, kw_only=True):
    """All settings."""

    ai: ShownAiSettings
    retention: ShownRetention
    version: int


class ShownExpired(Answer, frozen=True, kw_only=True):
    """How much of a kind is older than it is kept."""

    blobs: int
    size_bytes: int


class RetentionDue(Answer, frozen=True, kw_only=True):
    """What the next turn drops."""

    source: ShownExpired
    words: ShownExpired


class RetentionDone(Answer, frozen=True, kw_only=True):
    """How many blobs were dropped."""

    source: int
    words: int
