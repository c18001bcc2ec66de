"""Read models and exports: what anyone reads, derived from the log and rebuilt from it at will."""
