"""The browser client in a real Chromium, against the server as the command runs it."""
