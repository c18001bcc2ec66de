"""What server and clients both speak: API models, socket messages, errors, settings."""
