"""Accounts, invitations and the admins' seats: who exists, what they may do, and how they came in.

Names, e-mail addresses and secrets are not here (ACC-5): events carry identifiers only, so that a person can be
erased while the log stays as it was written.
"""
