"""What must hold of every report, whatever was asked: looked at without the code that made it."""

from __future__ import annotations

import ast
import hashlib
import io
import random
import subprocess
import tempfile
import tokenize
import warnings
from pathlib import Path

from hivesync_core.comments import FileRefused, Report, check, unified_diff
from hivesync_core.comments.grammars import Grammar, grammar, scanner_grammar
from hivesync_core.comments.syntax import read
from tests.comments.held_out import hostile, prose


def asked(source: bytes, count: int, chance: random.Random) -> list[dict[str, object]]:
    """Comments with text of every kind at lines inside and outside of the file."""
    lines = source.count(b"\n") + 1
    return [
        {
            "type": "header" if chance.random() < 0.1 else "inline",
            "target": {"line": chance.randint(-1, lines + 1) if chance.random() < 0.05 else chance.randint(1, lines)},
            "content": (hostile if chance.random() < 0.4 else prose)(chance)
            + chance.choice(("", "", f" ({chance.random()})")),
        }
        for _ in range(count)
    ]


def violations(source: bytes, language: str, comments: list[dict[str, object]]) -> list[str] | None:
    """What does not hold of the report; None where the file is refused as a whole."""
    try:
        report = check(source, language, comments)
    except FileRefused:
        return None
    found = []
    if sorted([one.index for one in report.accepted] + [one.index for one in report.refused]) != list(
        range(len(comments))
    ):
        found.append("a comment has no verdict, or two")
    if _without(report) != source:
        found.append("without the insertions the file is not what it was")
    if report.proof is None:
        return found + (["changed without a proof"] if report.after != source else [])
    if report.proof.file_sha256_after != hashlib.sha256(report.after).hexdigest():
        found.append("the proof is for another file")
    if report.proof.tokens_sha256_before != report.proof.tokens_sha256_after:
        found.append("the hashes of the tokens differ")
    if _tokens(language, source, report) != _tokens(language, report.after, report):
        found.append("the tokens differ")
    if language == "python" and _python(source) != _python(report.after):
        found.append("Python reads another program")
    return found


def diff_applies(name: str, source: bytes, report: Report) -> list[str]:
    """Whether `git apply` and `patch` make the file after from the file before."""
    diff = unified_diff(name, source, report.after)
    if not diff:
        return [] if source == report.after else ["no diff for a change"]
    found = []
    for command in (["git", "apply", "--whitespace=nowarn", "-p1", "-"], ["patch", "-p1", "-s", "--binary"]):
        with tempfile.TemporaryDirectory(prefix="hivesync-diff-") as folder:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source)
            ran = subprocess.run(command, cwd=folder, input=diff, capture_output=True, timeout=60, check=False)
            if ran.returncode or path.read_bytes() != report.after:
                found.append(
                    f"{command[0]}: {ran.stderr.decode(errors='replace') or ran.stdout.decode(errors='replace')}"
                )
    return found


def _without(report: Report) -> bytes:
    """Cut the texts out again, last one first."""
    source = report.after
    shift = sum(len(one.text) for one in report.accepted)
    for one in reversed(report.accepted):
        shift -= len(one.text)
        at = one.offset + shift
        assert source[at : at + len(one.text)] == one.text
        source = source[:at] + source[at + len(one.text) :]
    return source


def _tokens(language: str, source: bytes, report: Report) -> list[tuple[str, bytes]]:
    assert report.proof is not None
    own: Grammar | None = grammar(language)
    if own is None or own.name != report.proof.grammar:
        own = scanner_grammar(language)
    assert own is not None
    if own.parser is None:
        return [(own.kind(kind), source[start:end]) for kind, start, end in read(own, source).tokens]
    tree = own.parser.parse(source)
    found, waiting = [], [tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.kind_id in own.comments:
            continue
        if node.child_count:
            waiting.extend(reversed(node.children))
        elif node.text and node.text.strip():
            found.append((node.type, node.text))
    return found


def _python(source: bytes) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.dump(ast.parse(source))
        except (SyntaxError, ValueError):
            return None
        code = [(one.type, one.string) for one in tokenize.tokenize(io.BytesIO(source).readline)
                if one.type not in (tokenize.COMMENT, tokenize.NL)]  # fmt: skip
    return tree, code
