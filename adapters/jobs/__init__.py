"""Work that a worker does in the background: the queue, the worker, and what makes lost jobs again."""
