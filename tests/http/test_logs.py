"""What is logged holds no secret, whatever is thrown at the log."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from adapters.identity.secrets import ACCESS, new_token
from adapters.observability.logs import configure_logs, hide_secrets

Lines = Callable[[], list[dict[str, str]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What is written to the log, as JSON objects."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    known = [logging.getLogger(name) for name in (None, *logging.root.manager.loggerDict)]
    before = [(each, list(each.handlers), each.level, each.propagate) for each in known]
    configure_logs("info", "json")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    # All of it, or whoever comes next in this process hears less of its libraries.
    for logger, handlers, level, propagates in before:
        logger.handlers, logger.propagate = handlers, propagates
        logger.setLevel(level)
    structlog.reset_defaults()


def test_a_token_a_password_in_a_url_and_a_quoted_row_are_hidden() -> None:
    token = new_token(ACCESS)
    for secret, text in {
        token: f"the header was Bearer {token}",
        "hunter2": "cannot connect to postgresql://hivesync:hunter2@db:5432/hivesync",
        "ada@example.org": "duplicate key\nDETAIL:  Key (email)=(ada@example.org) already exists.",
        "abc123": "GET /setup?token=abc123 failed",
        "sk-proj-abcdefghijklmnop": "the provider refused sk-proj-abcdefghijklmnop",
    }.items():
        assert secret in text
        assert secret not in hide_secrets(text)


def test_a_line_is_one_json_object_with_time_level_and_event(lines: Lines) -> None:
    structlog.get_logger("hivesync.test").info("something_happened", count=3)
    logging.getLogger("other.library").warning("said %s", "so")
    first, second = lines()
    assert (first["event"], first["level"], first["count"]) == ("something_happened", "info", 3)
    assert (second["event"], second["level"]) == ("said so", "warning")
    assert first["time"].endswith("Z")


def test_values_under_telling_names_are_hidden_and_ids_are_not(lines: Lines) -> None:
    structlog.get_logger("hivesync.test").info(
        "seen", password="x", refresh_token="y", authorization="z", token_id="kept"
    )
    (line,) = lines()
    assert (line["password"], line["refresh_token"], line["authorization"]) == ("[hidden]",) * 3
    assert line["token_id"] == "kept"


def test_a_traceback_shows_where_and_none_of_the_values_there(lines: Lines) -> None:
    source = "def " + "raw_code" + "(): return 42"
    try:
        raise ValueError("postgresql://hivesync:hunter2@db/x")
    except ValueError:
        structlog.get_logger("hivesync.test").exception("failed", size=len(source))
    (line,) = lines()
    assert "ValueError" in line["exception"]
    assert "hunter2" not in line["exception"]
    assert source not in line["exception"]
