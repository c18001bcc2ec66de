"""Reviews of documentation that a model suggested for one file: requested, generated, decided on, applied (AI-1 to 5)."""
