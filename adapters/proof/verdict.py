"""What a verification answers, for people and for programs."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from hivesync_core.proof.finding import Finding


class ExitCode(IntEnum):
    """What the command answers to the shell."""

    GENUINE = 0
    TAMPERED = 1
    UNREADABLE = 2


class CannotVerify(Exception):
    """What is needed to verify is missing or cannot be read; it says nothing about the events."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one verification.

    ``events`` were read, up to ``last_position``; signed checkpoints vouch for those up to ``proven``. ``chain_head``
    and ``root`` are in hex, none where they were not computed. ``notes`` are what a person should know besides.
    """

    what: str
    finding: Finding | None
    events: int
    last_position: int
    proven: int
    checkpoint_size: int | None = None
    checkpoint_signed_at: str | None = None
    chain_head: str | None = None
    root: str | None = None
    notes: list[str] = []

    @property
    def exit_code(self) -> ExitCode:
        """0 where nothing was found."""
        return ExitCode.GENUINE if self.finding is None else ExitCode.TAMPERED

    def to_json(self) -> str:
        """One line of JSON; ``ok`` and ``exit_code`` stand beside the fields."""
        fields = msgspec.to_builtins(self)
        return msgspec.json.encode({"ok": self.finding is None, "exit_code": int(self.exit_code), **fields}).decode()

    def to_text(self) -> str:
        """For people."""
        lines = [f"{'GENUINE' if self.finding is None else 'TAMPERED'}: {self.what}"]
        if self.finding is not None:
            where = f" (line {self.finding.place})" if self.finding.place else ""
            lines.append(f"  {self.finding.message}{where}")
        lines.append(
            f"  {self.events:,} events read{f', up to position {self.last_position:,}' if self.events else ''}"
        )
        if self.checkpoint_size is not None:
            lines.append(f"  checkpoint: {self.checkpoint_size:,} events, signed {self.checkpoint_signed_at}")
        if self.finding is None and self.proven:
            lines.append(f"  proven by a signed checkpoint up to position {self.proven:,}")
        if self.chain_head is not None and self.finding is None:
            lines.append(f"  last hash of the chain: {self.chain_head}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)
