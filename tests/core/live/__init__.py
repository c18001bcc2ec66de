"""The rules and pure parts of Live View."""
