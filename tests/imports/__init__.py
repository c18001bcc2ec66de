"""Imports: what is whole is kept, what is not is named, and doing it again changes nothing."""
