"""AI documentation: provider, blobs, jobs, reviews over HTTP, and the command."""
