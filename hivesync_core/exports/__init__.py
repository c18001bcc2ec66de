"""Exports: somebody asks for a part of the history as a file, and what became of that."""
