"""Projects: their name, their members with roles, and their policy."""
