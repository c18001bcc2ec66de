"""The real servers that the tests run against: PostgreSQL, a Redis-compatible server, a browser."""
