"""Faults on purpose: kills, full disks, hung and cut-off servers, jumping clocks; each ends in a table of figures."""
