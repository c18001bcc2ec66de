"""Replay: read models rebuilt, checked and audited, and parked streams taken up again, for commands and for the admin API."""
