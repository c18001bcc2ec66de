"""Tests of the HTTP door: a real server on a real socket."""
