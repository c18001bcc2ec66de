"""What is spoken on ``/ws``: the messages of both sides, their limits, and the close codes."""
