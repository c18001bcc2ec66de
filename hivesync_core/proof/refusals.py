"""What cannot be proven, and why."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Invalid, NotFound


class NoCheckpointYet(NotFound):
    """Nothing was signed yet by this server's key. The first checkpoint follows a minute after the first event."""

    code = "proof.no_checkpoint_yet"
    title = "Nothing was signed yet"


class NotInTheTree(NotFound):
    """The log's tree has fewer events than the proof asks for; ``size`` is how many it has."""

    code = "proof.not_in_the_tree"
    title = "The tree does not reach so far"


class SizesContradict(Invalid):
    """A proof leads from a smaller tree to a larger one, and an event lies within the tree that it is proven in."""

    code = "proof.sizes_contradict"
    title = "There can be no such proof"
