"""The HTTP door: parse, call, answer; no rules and no SQL."""
