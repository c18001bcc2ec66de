"""The prompts as workers and doors use them: numbers and labels from the log, texts from the blob store."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from adapters.blobs.store import NOBODY, BlobStore
from adapters.ids import now, uuid7
from hivesync_core.eventstore.log import Context, Log, Outcome
from hivesync_core.kernel.ids import SYSTEM_ACTOR, AccountId
from hivesync_core.prompts.decider import PRODUCTION, PROMPTS_ID, AddPromptVersion, Prompts, prompts
from hivesync_core.prompts.refusals import PromptVersionUnknown
from hivesync_core.prompts.template import BUILT_IN, checked


class Template(msgspec.Struct, frozen=True):
    """A version with its text."""

    version: int
    sha256: str
    text: str


_BUILT_IN_SHA256 = sha256(BUILT_IN.encode()).hexdigest()
_UNTOUCHED: Prompts = prompts.fold(
    prompts.decide(Prompts(), AddPromptVersion(sha256=_BUILT_IN_SHA256, chars=len(BUILT_IN)))
)
"""What stands before anybody has done anything: the built-in template, in production."""


class PromptLibrary:
    """Versions of the prompt. The first one is stored by the first who needs it so; who only reads stores nothing."""

    def __init__(self, log: Log, blobs: BlobStore) -> None:
        self._log, self._blobs = log, blobs

    async def state(self) -> Prompts:
        """Versions and labels."""
        stored: Prompts = (await self._log.state(prompts, PROMPTS_ID, fresh=True)).state
        return stored if stored.versions else _UNTOUCHED

    async def ensure(self) -> None:
        """Store the first version where there is none."""
        stored: Prompts = (await self._log.state(prompts, PROMPTS_ID, fresh=True)).state
        if not stored.versions:
            command_id = uuid7()
            await self._add(BUILT_IN, "", None, Context(SYSTEM_ACTOR, now(), command_id, command_id))

    async def labelled(self, label: str = PRODUCTION) -> Template:
        """The version that a label points at; raises ``PromptVersionUnknown``."""
        state = await self.state()
        if label not in state.labels:
            raise PromptVersionUnknown(f"Nothing is labelled {label}.", label=label)
        return await self.version(state.labels[label])

    async def version(self, number: int) -> Template:
        """A version with its text; raises ``PromptVersionUnknown``."""
        known = (await self.state()).version(number).sha256
        if known == _BUILT_IN_SHA256:
            return Template(number, known, BUILT_IN)
        return Template(number, known, (await self._blobs.get(NOBODY, known)).decode())

    async def add(self, text: str, note: str, by: AccountId, context: Context) -> Outcome:
        """Keep a template as the next version. Raises ``TemplateRefused``."""
        await self.ensure()
        return await self._add(checked(text), note, by, context)

    async def _add(self, text: str, note: str, by: AccountId | None, context: Context) -> Outcome:
        kept = await self._blobs.put(NOBODY, "prompt", text.encode())
        command = AddPromptVersion(sha256=kept, chars=len(text), note=note, by=by)
        return await self._log.execute(prompts, PROMPTS_ID, command, context)
