"""Asks a model for comments: the prompt, the provider's protocol, what its answers may be, and what becomes of faults."""
