"""Who people are and what proves it: passwords, sessions, tokens, OAuth, and the limits on guessing them.

Everything personal or secret stands behind this package and in the PostgreSQL schema ``identity``; the event log
knows accounts by their ids alone (ACC-5).
"""
