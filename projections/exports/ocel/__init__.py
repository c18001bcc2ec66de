"""The history as an object-centric event log (OCEL 2.0, ocel-standard.org), for process-mining tools."""
