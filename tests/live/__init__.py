"""Live View through real sockets, real PostgreSQL and, across processes, real Valkey."""
