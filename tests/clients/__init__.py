"""Tests of the clients beside what they show: their types, and what they are made of."""
