"""Keys, the stored tree, signed checkpoints inside and outside the database, and reading what is to be verified."""
