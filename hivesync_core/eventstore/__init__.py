"""The event store: the catalogue of events, their stored form, and the Log that loads, decides and appends."""
