"""What can happen to the prompts. Their text is in the blob store under its hash (R6)."""

from __future__ import annotations

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId


class PromptVersionAdded(Event, frozen=True, kw_only=True, tag="prompt.version_added.v1"):
    """A version exists and never changes; ``added_by`` is none for the one that HiveSync comes with."""

    version: int
    sha256: str
    chars: int
    note: str
    added_by: AccountId | None


class PromptLabelMoved(Event, frozen=True, kw_only=True, tag="prompt.label_moved.v1"):
    """A label points at this version now; at ``before`` until then, none where the label is new."""

    label: str
    version: int
    before: int | None
    moved_by: AccountId | None


class PromptTried(Event, frozen=True, kw_only=True, tag="prompt.tried.v1"):
    """Somebody tried a template in the playground; ``version`` is none for one that was not kept. Counts, no more."""

    version: int | None
    language: str
    size_bytes: int
    suggestions: int
    refused: int
    input_tokens: int
    output_tokens: int
    tried_by: AccountId


PromptEvent = PromptVersionAdded | PromptLabelMoved | PromptTried

EVENTS: tuple[type[Event], ...] = (PromptVersionAdded, PromptLabelMoved, PromptTried)
"""Every event of this feature, for the catalogue."""
