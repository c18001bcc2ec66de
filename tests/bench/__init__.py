"""Measurements: figures beside a yardstick in the same run, never a gate by the clock."""
