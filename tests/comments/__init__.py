"""Tests of the proof that comments change nothing but comments."""
