"""Tests of accounts and access against real PostgreSQL and Valkey, beneath the doors."""
