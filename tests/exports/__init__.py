"""Exports and the history log: the same bytes for the same range, harmless in a spreadsheet, whole after any crash."""
