"""Proof that the log is what it was: the Merkle tree over it, signed checkpoints, and the audit of a sequence of events."""
