"""The event store: the library's own tests, appends and their faults, the Log, the chain."""
