"""Exports: any part of the history as a file, replayed from the log alone; the same range gives the same bytes."""
