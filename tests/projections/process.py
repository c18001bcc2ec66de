"""`python -m tests.projections.process URL OWNER`: a process that runs the projector, to be stopped and killed."""

from __future__ import annotations

import asyncio
import sys

from tests.projections.support import Node


async def _work(url: str, owner: str) -> None:
    async with Node(url, owner=owner):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
