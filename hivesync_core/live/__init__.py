"""Live View: a host shows files as they are edited, viewers read; what is kept of it as events, and the pure parts."""
