"""Settings that admins change while the server runs: the model that is asked, its limits, how long sources are kept."""
