"""Every event that HiveSync stores: what the features emit today, and what lifts older versions to that."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hivesync_core.accounts.events import EVENTS as ACCOUNT_EVENTS
from hivesync_core.eventstore.catalogue import Catalogue, Upcaster
from hivesync_core.exports.events import EVENTS as EXPORT_EVENTS
from hivesync_core.kernel.event import Event
from hivesync_core.live.events import EVENTS as LIVE_EVENTS
from hivesync_core.operations.events import EVENTS as OPERATIONS_EVENTS
from hivesync_core.projects.events import EVENTS as PROJECT_EVENTS
from hivesync_core.prompts.events import EVENTS as PROMPT_EVENTS
from hivesync_core.reviews.events import EVENTS as REVIEW_EVENTS
from hivesync_core.settings.events import EVENTS as SETTINGS_EVENTS
from hivesync_core.tasks.events import EVENTS as TASK_EVENTS

EVENTS: tuple[type[Event], ...] = (
    *ACCOUNT_EVENTS,
    *PROJECT_EVENTS,
    *TASK_EVENTS,
    *OPERATIONS_EVENTS,
    *EXPORT_EVENTS,
    *REVIEW_EVENTS,
    *PROMPT_EVENTS,
    *SETTINGS_EVENTS,
    *LIVE_EVENTS,
)
"""The events of all features; a new feature is one more here."""

UPCASTERS: Mapping[str, Upcaster] = {}
"""By topic that is no longer written: the function from its JSON object to that of the next version."""


@cache
def the_catalogue() -> Catalogue:
    """The catalogue of all events, made once."""
    return Catalogue(EVENTS, UPCASTERS)
