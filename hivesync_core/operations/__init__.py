"""Operation: what admins did to read models, as facts of the history like any other."""
