"""The clients, each with its own README, and what makes their types from the server's models."""
