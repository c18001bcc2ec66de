"""`hivesync`: what there is, and what it says of a command line that it does not understand."""

from __future__ import annotations

import pytest

from adapters.cli.main import COMMANDS, main


def _ended(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, *capsys.readouterr()


@pytest.mark.parametrize("asked", ["help", "-h", "--help"])
def test_help_names_every_command_with_examples(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = _ended([asked], capsys)
    assert code == 0
    assert all(f"  {name} " in said for name in COMMANDS)
    assert "examples:" in said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = _ended([name, "--help"], capsys)
    assert code == 0
    assert said.startswith("usage: ")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_there_is_not_is_refused_and_nothing_is_started(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, complaint = _ended([name, "--bogus"], capsys)
    assert (code, said) == (2, "")
    assert "--bogus" in complaint or "arguments are required" in complaint


def test_an_unknown_command_is_named_and_the_known_ones_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, complaint = _ended(["sevre"], capsys)
    assert (code, said) == (2, "")
    assert "'sevre'" in complaint
    assert "serve" in complaint
