"""Tampering with logs, histories and exports, and the proofs that tell."""
