"""Everything that a provider can do wrong, over real HTTP: the right state, few tries, one set of events, no code stored."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from typing import Any
from uuid import UUID

from tests.faults.provider_cases import TIMEOUT_S, TRIES_MAX, Case, cases_of
from tests.faults.report import Figure, Report, at_least, at_most, none_of
from tests.faults.reviewing import KEY, ReviewDoor, topics
from tests.faults.searching import in_files, in_tables
from tests.faults.stage import Stage
from tests.servers.model import ModelServer

WAIT_S = 150.0
_END_OF = {"ready": "review.ready.v1", "refused": "review.refused.v1", "failed": "review.failed.v1"}


_SHORT = (
    "429-then-well",
    "502",
    "no-answer",
    "cut",
    "broken-json",
    "schema",
    "code",
    "put-right",
    "web-page",
    "wrong-lines",
    "ten-megabytes",
    "refusal",
)


async def run(seed: int, *, short: bool = False) -> Report:
    """Every case at once on one server, each file with a path of its own; the provider knows it by that."""
    chance = random.Random(seed)
    marker = f"zq{secrets.token_hex(8)}"
    code = f"{marker}_answer = compute({marker}_x)"
    cases = [case for case in cases_of(code) if not short or case.name in _SHORT]
    chance.shuffle(cases)
    with ModelServer() as model, Stage() as stage:
        person = await stage.person()
        server = stage.server("server", OPENAI_API_KEY=KEY, HIVESYNC_LOG_LEVEL="debug")
        await asyncio.to_thread(server.wait_ready)
        async with ReviewDoor(server.base_url, person) as door:
            await door.ask_model(model.url, timeout_s=TIMEOUT_S)
            submitted: dict[str, UUID] = {}
            for case in cases:
                model.by_path[f"{case.name}.py"] = deque(case.behaviours)
                source = f"# {case.name}\n\ndef {marker}(a):\n    return a\n"
                submitted[case.name] = await door.submit(f"{case.name}.py", source)
            shown = {case.name: await door.ended(submitted[case.name], WAIT_S) for case in cases}
        times = {case.name: _seconds(model, case.name) for case in cases}
        requests = {case.name: len(_asked(model, case.name)) for case in cases}
        streams = topics(stage.url, list(submitted.values()))
        wrong = [f"{case.name}: {_wrong(case, shown[case.name])}" for case in cases if _wrong(case, shown[case.name])]
        wrong += [f"{c.name}: {requests[c.name]} requests" for c in cases if requests[c.name] != c.tries]
        wrong += [f"{c.name}: too early" for c in cases if times[c.name] < c.seconds_least]
        doubled = [c.name for c in cases if streams[submitted[c.name]] != _events(c)]
        unclear = [c.name for c in cases if c.code and not shown[c.name].get("message")]
        quoted = [c.name for c in cases if marker in str(shown[c.name].get("message"))]
        stored = in_tables(stage.url, [marker, KEY]) + in_files(stage.folder, [marker, KEY])
    return Report(
        [
            at_least("provider faults over HTTP", len(cases), len(cases)),
            none_of("reviews that came to another state, code, count or number of tries", len(wrong)),
            at_most("requests for one review, most", max(requests.values()), TRIES_MAX),
            none_of("reviews without exactly one set of events", len(doubled)),
            none_of("messages that are empty", len(unclear)),
            none_of("messages that quote the file or the answer", len(quoted)),
            none_of("tables and files with a line of the file, the answer or the key", len(stored)),
        ],
        [Figure("requests in all", sum(requests.values()), "")],
        [*wrong, *(f"events: {name}" for name in doubled), *(f"found in {place}" for place in stored)],
    )


def _events(case: Case) -> list[str]:
    return ["review.requested.v1", "review.generation_started.v1", _END_OF[case.status]]


def _wrong(case: Case, shown: dict[str, Any]) -> str:
    """What is not as it has to be."""
    told = (shown["status"], shown["code"], (shown["usage"] or {}).get("tries"))
    if told != (case.status, case.code, case.tries):
        return f"{told} instead of {(case.status, case.code, case.tries)}"
    if case.kept is not None and len(shown["comments"]) != case.kept:
        return f"{len(shown['comments'])} comments kept instead of {case.kept}"
    if case.refused is not None and len(shown["refused"]) != case.refused:
        return f"{len(shown['refused'])} comments refused instead of {case.refused}"
    return ""


def _asked(model: ModelServer, name: str) -> list[float]:
    """When the model was asked about a case."""
    asked = zip(model.asked, model.asked_at, strict=True)
    return [at for body, at in asked if f"({name}.py)" in body["messages"][0]["content"]]


def _seconds(model: ModelServer, name: str) -> float:
    at = _asked(model, name)
    return at[-1] - at[0] if at else 0.0
