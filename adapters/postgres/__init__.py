"""PostgreSQL: the schema, the log, read models, and the server that HiveSync runs itself."""
