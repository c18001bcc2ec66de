"""HiveSync's own pages: signing in, consenting, devices, first set-up, invitations. Plain HTML, nothing from elsewhere."""
