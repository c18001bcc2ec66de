"""Prompt templates: immutable versions, and labels that point at one of them (AI-6)."""
