"""The tests of HiveSync, on real servers that they start by themselves."""
