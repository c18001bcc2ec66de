"""Bytes that were stored once and have to be read for ever."""
