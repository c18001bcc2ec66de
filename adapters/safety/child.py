"""The process that checks: one question after the other, with a timer that ends it whatever its code is doing."""

from __future__ import annotations

import json
import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from adapters.safety.messages import LENGTH, Answer, Question, framed
from hivesync_core.comments import FileRefused, check

MEMORY_BYTES_MAX = 3 * 1024**3
GRACE_S = 2.0
"""The parent kills first and says why; this timer is for a parent that is gone."""


def main() -> int:
    """Answer questions from standard input on standard output until it ends."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while (body := _frame(questions)) is not None:
        question = msgspec.msgpack.decode(body, type=Question)
        signal.setitimer(signal.ITIMER_REAL, question.timeout_s + GRACE_S)
        answers.write(framed(_answer(question)))
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)
    return 0


def _answer(question: Question) -> Answer:
    try:
        return Answer(check(question.source, question.language, json.loads(question.comments)))
    except FileRefused as refusal:
        return Answer(cause=refusal.cause, reason=refusal.reason)


def _frame(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])


if __name__ == "__main__":
    sys.exit(main())
