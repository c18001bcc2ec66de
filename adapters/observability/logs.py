"""Structured logs: one line an event, JSON for machines and colours for people, with no code and no secrets in it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_HIDDEN: Final = "[hidden]"
_SECRET_NAMES: Final = re.compile(
    r"password|passwd|secret|token|authorization|cookie|api_?key|ticket|code_verifier|private_key", re.IGNORECASE
)
_NOT_SECRET: Final = frozenset({"token_id"})
_SECRETS: Final = re.compile(
    r"""
    \bhs[a-z]_[0-9A-Za-z]{20,}                        # our own tokens
    | (?<=://)[^\s/@:]*:[^\s/@]*(?=@)                 # user and password in a URL
    | \bsk-[0-9A-Za-z_-]{16,}                         # keys of AI providers
    | (?i:(?<=bearer\s)\S+)
    | (?i:(?<=password=)\S+)
    | (?<=\?)\S*(?:token|code|ticket|key)=\S+         # queries that hold a secret
    | (?m:(?<=^DETAIL:)\s+.*$)                        # what PostgreSQL quotes from rows
    """,
    re.VERBOSE,
)
TEXT_MAX: Final = 8_000
"""Characters of one value in a log line."""


def hide_secrets(text: str) -> str:
    """The text without tokens, passwords in URLs, keys, and the rows that PostgreSQL quotes."""
    return _SECRETS.sub(_HIDDEN, text)


def _hide(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name not in _NOT_SECRET and _SECRET_NAMES.search(name):
            event[name] = _HIDDEN
        elif isinstance(value, str):
            event[name] = hide_secrets(value)[:TEXT_MAX]
        elif isinstance(value, BaseException):
            event[name] = hide_secrets(str(value))[:TEXT_MAX]
    return event


def configure_logs(level: str = "info", log_format: str = "auto") -> None:
    """Send everything, structlog's and the standard library's, to standard error in one form."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _hide,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time")
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "litestar"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
    # Start, stop and each connection are told by HiveSync itself; the pool repeats each of its attempts.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
