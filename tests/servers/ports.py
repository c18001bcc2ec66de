"""Ports for servers that are started with the number of one: nobody is given it before they listen."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_LEAST = 15_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES_MAX = 200


def free_port() -> int:
    """A port that nobody listens on, and that the kernel gives to no connection of any other program meanwhile.

    It lies below the range of those that the kernel hands out by itself: a port of that range, closed to be opened again
    by a server that takes a second to start, is now and then some client's by then.
    """
    first = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    for _ in range(_TRIES_MAX):
        port = random.SystemRandom().randrange(_LEAST, first) if first > _LEAST else 0
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no port is free")
