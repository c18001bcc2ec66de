"""Whom to ask, and the way there; the provider's library is only loaded by a process that asks."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from hivesync_core.settings.decider import AiSettings

if TYPE_CHECKING:
    from adapters.ai.provider import Provider


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask, and how much may be asked for."""

    base_url: str | None
    model: str
    timeout_s: float
    answer_tokens_max: int
    api_key: str | None = None


def endpoint_of(chosen: AiSettings, api_key: str | None) -> Endpoint:
    """Whom the settings say to ask."""
    return Endpoint(
        base_url=chosen.base_url,
        model=chosen.model,
        timeout_s=chosen.timeout_s,
        answer_tokens_max=chosen.answer_tokens_max,
        api_key=api_key,
    )


async def open_provider(endpoint: Endpoint) -> Provider:
    """A provider to be closed after use; raises ``NoKey``. Its library takes most of a second to load the first time."""
    module = await asyncio.to_thread(import_module, "adapters.ai.provider")
    provider: Provider = module.Provider(endpoint)
    return provider
