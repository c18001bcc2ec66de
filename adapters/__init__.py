"""Everything that touches the outside: databases, sockets, HTTP, files, other services."""
