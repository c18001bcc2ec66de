"""What every read model runs on: tables, working sets, the follower of the log, and the supervised projector."""
