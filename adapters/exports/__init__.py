"""Exports as files: written by a process of their own, kept in the exports' folder, remade where they are missing."""
