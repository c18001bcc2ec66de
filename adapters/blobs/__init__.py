"""The blob store: what must not be in the log, encrypted, and for as long as it is kept."""
