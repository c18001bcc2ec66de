"""What every feature is made of: events, deciders, refusals, the clock and the identifiers."""
