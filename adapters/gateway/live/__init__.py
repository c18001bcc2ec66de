"""Live View's sockets, on ``/ws/live``: from a host's socket to every viewer's, with no queue between (R10).

A patch is checked against the room's copy, encoded once, and written to every viewer of this process; other processes
hear of it through Redis. No database, no log on the way: what reaches the log is that a session began, was joined, ended.
"""
