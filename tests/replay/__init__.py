"""Replay from the command line and over the admin API."""
