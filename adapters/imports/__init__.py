"""Imports: tasks from other systems' files, read piece by piece, with every bad piece named."""
