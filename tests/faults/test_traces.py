"""Any recorded editing session is played as it was recorded, and what is none is refused in words."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hivesync_core.live.document import Document
from shared.socket.live_limits import CHANGES_MAX
from tests.faults.traces import BadTrace, read_trace

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("\r\n\r\nab\U0001f600\U0001f468\u200d\u0301\u2028\u0085\x0b\x0c\0"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=20,
)


@st.composite
def sessions(draw: st.DrawFn) -> dict[str, Any]:
    """A session in the form of the files: whatever was typed, pasted and deleted, to the last character at times."""
    text = start = draw(st.one_of(st.just(""), TEXTS))
    transactions = []
    for _ in range(draw(st.integers(0, 12))):
        patches = []
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(text)))
            deleted = draw(st.one_of(st.just(len(text) - at), st.integers(0, len(text) - at)))
            inserted = draw(TEXTS)
            patches.append([at, deleted, inserted])
            text = text[:at] + inserted + text[at + deleted :]
        transactions.append({"time": "2021-01-01T00:00:00Z", "patches": patches})
    return {"startContent": start, "endContent": text, "txns": transactions}


@settings(max_examples=200, deadline=None)
@given(sessions(), st.booleans())
def test_any_session_is_read_and_its_changes_lead_to_its_end(session: dict[str, Any], packed: bool) -> None:
    trace = read_trace(_File(session, packed=packed))  # type: ignore[arg-type]
    typed, seen = Document(trace.start), Document(trace.start)
    for patches in trace.transactions:
        for at, deleted, inserted in patches:
            change = typed.change_at(at, deleted, inserted)
            typed.apply(typed.version, typed.version + 1, [change])
            seen.apply(seen.version, seen.version + 1, [change], typed.sha256)
    assert typed.text == seen.text == trace.end == session["endContent"]


class _File:
    """A session as a file that is not on the disk: the property writes hundreds."""

    name = "session.json.gz"

    def __init__(self, session: Any, *, packed: bool) -> None:
        raw = json.dumps(session).encode()
        self._data = gzip.compress(raw) if packed else raw

    def read_bytes(self) -> bytes:
        """What it holds."""
        return self._data


GOOD = {"startContent": "ab", "endContent": "b", "txns": [{"patches": [[0, 1, ""]]}]}
LARGE = {"startContent": "", "endContent": "é" * 1_048_577, "txns": [{"patches": [[0, 0, "é" * 1_048_577]]}]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no editing session"),
        (b"\x1f\x8b", "is cut off or damaged"),
        (b"\x1f\x8brubbish", "is cut off or damaged"),
        (gzip.compress(json.dumps(GOOD).encode(), mtime=0)[:-9], "is cut off or damaged"),
        (b"\xff\xfe{}", "is no editing session"),
        (b"[" * 100_000, "is no editing session"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `startContent`"),
        (json.dumps(GOOD | {"txns": {}}).encode(), "Expected `array`"),
        (json.dumps(GOOD | {"txns": [[0, 1, ""]]}).encode(), "Expected `object`"),
        (json.dumps(GOOD | {"txns": [{"patches": [[0, 1]]}]}).encode(), "Expected `array` of length 3"),
        (json.dumps(GOOD | {"txns": [{"patches": [["0", 1, ""]]}]}).encode(), "Expected `int`"),
        (json.dumps(GOOD | {"txns": [{"patches": [[0, 3, ""]]}]}).encode(), "transaction 1 changes 0 to 3 of 2 characters"),
        (json.dumps(GOOD | {"txns": [{"patches": [[-1, 1, ""]]}]}).encode(), "transaction 1 changes -1"),
        (json.dumps(GOOD | {"endContent": "c"}).encode(), "do not lead from startContent to endContent"),
        (json.dumps(GOOD | {"kind": "concurrent"}).encode(), "of several people at once"),
        (json.dumps(LARGE).encode(), "grows to 2,097,154 bytes"),
        (b'{"startContent":"\\ud800","endContent":"","txns":[]}', "is no editing session"),
    ],
)  # fmt: skip
def test_what_is_no_session_is_refused_in_words(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(data)
    with pytest.raises(BadTrace, match=said):
        read_trace(path)


def test_a_transaction_that_is_too_large_for_one_change_is_made_in_parts(tmp_path: Path) -> None:
    patches = [[0, 0, "x"]] * (CHANGES_MAX + 1)
    session = {"startContent": "", "endContent": "x" * len(patches), "txns": [{"patches": patches}]}
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(session))
    assert [len(part) for part in read_trace(path).transactions] == [CHANGES_MAX, 1]


def test_the_command_says_so_and_does_not_begin(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults", "live-traces", "--trace", str(tmp_path / "none.json")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.endswith("none.json cannot be read: No such file or directory\n")
    assert "Traceback" not in ran.stderr
