"""Tests of the gateway: a real server on a real port, real sockets, a real database."""
