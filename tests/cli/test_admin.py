"""`hivesync-admin`: every command, its answers for people and for programs, and what it says when it cannot."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.cli import console
from adapters.cli.admin import COMMANDS, main
from adapters.cli.main import main as hivesync
from adapters.proof.keys import PUBLIC_KEY_FILE, signing_key
from projections.exports.whole_file import WholeFile
from tests.imports.files import closed, issue, lines_of

ANN, BEN = "ann@example.com", "ben@example.com"
PASSWORD = "seven quiet lanterns\n"


class Answers:
    """Runs commands against one installation, and gives exit code and answer."""

    def __init__(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        self._capsys = capsys
        self.errors = ""
        self.password = tmp_path / "password"
        self.password.write_text(PASSWORD)

    def text(self, *arguments: object) -> tuple[int, str]:
        """A command's answer for people."""
        code = main([str(argument) for argument in arguments])
        out, self.errors = self._capsys.readouterr()
        return code, out

    def json(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        """A command's answer for programs: one object, and nothing else on standard output."""
        code, out = self.text(*arguments, "--json")
        answer: dict[str, Any] = json.loads(out)
        return code, answer


@pytest.fixture
def admin(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Answers:
    """The program, with an installation that has a database and no account yet."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("HIVESYNC_DATA_DIR", str(tmp_path / "data"))
    return Answers(capsys, tmp_path)


@pytest.fixture
def garden(admin: Answers, tmp_path: Path) -> Answers:
    """The same with an admin, Ann, and her project Garden with a few tasks."""
    admin.json("create-admin", "--email", ANN, "--name", "Ann", "--password-file", admin.password)
    file = tmp_path / "issues.jsonl.gz"
    file.write_bytes(gzip.compress(lines_of([issue(1), closed(2), issue(3, title="=1+1")])))
    code, report = admin.json("import", "tasks", file, "--project", "Garden", "--create")
    assert (code, report["created"]) == (0, 3)
    return admin


def test_the_first_admin_and_another_one(admin: Answers) -> None:
    code, first = admin.json("create-admin", "--email", ANN, "--name", "Ann", "--password-file", admin.password)
    assert (code, first["email"], first["password"]) == (0, ANN, None)
    code, out = admin.text("create-admin", "--email", BEN, "--name", "Ben", "--generate-password")
    assert code == 0
    assert "Password, shown this once: " in out
    _, listed = admin.json("accounts", "list")
    assert [(one["email"], one["is_admin"]) for one in listed["accounts"]] == [(ANN, True), (BEN, True)]
    code, again = admin.json("create-admin", "--email", ANN, "--name", "Ann", "--password-file", admin.password)
    assert (code, again["exit_code"]) == (1, 1)
    assert "error" in again


def test_a_weak_password_is_refused_with_the_reason(admin: Answers, tmp_path: Path) -> None:
    (tmp_path / "weak").write_text("short\n")
    code, out = admin.text("create-admin", "--email", ANN, "--name", "Ann", "--password-file", tmp_path / "weak")
    assert (code, out) == (1, "")
    assert "15" in admin.errors


def test_without_a_terminal_a_password_is_not_asked_for(admin: Answers) -> None:
    code, _ = admin.text("create-admin", "--email", ANN, "--name", "Ann")
    assert code == 2
    assert "--password-file" in admin.errors


def test_accounts_are_made_locked_opened_promoted_and_erased(garden: Answers) -> None:
    code, made = garden.json("accounts", "create", "--email", BEN, "--name", "Ben", "--generate-password")
    assert (code, made["is_admin"], len(made["password"])) == (0, False, 24)
    for action, facts in (
        ("disable", {"disabled": True}),
        ("enable", {"disabled": False}),
        ("make-admin", {"is_admin": True}),
        ("remove-admin", {"is_admin": False}),
    ):
        code, answer = garden.json("accounts", action, BEN)
        assert (code, {name: answer[name] for name in facts}) == (0, facts)
    assert garden.json("accounts", "set-password", BEN, "--password-file", garden.password)[0] == 0
    assert garden.text("accounts", "erase", BEN)[0] == 2
    assert "--yes" in garden.errors
    assert garden.json("accounts", "erase", made["account_id"], "--yes")[0] == 0
    _, listed = garden.json("accounts", "list", "--search", "ben")
    assert listed == {"accounts": []}
    code, refused = garden.json("accounts", "disable", BEN)
    assert (code, refused["error"], bool(refused["remedy"])) == (1, f"there is no account {BEN}", True)


def test_the_last_admin_stays(garden: Answers) -> None:
    assert garden.text("accounts", "disable", ANN)[0] == 1
    assert garden.json("accounts", "list")[1]["accounts"][0]["disabled"] is False


def test_tokens_are_shown_once_listed_and_revoked(garden: Answers) -> None:
    code, made = garden.json(
        "tokens", "create", "--account", ANN, "--name", "build", "--scope", "read", "--expires-in", "90d"
    )
    assert (code, made["scopes"], made["token"][:4]) == (0, ["read"], "hsp_")
    code, out = garden.text(
        "tokens", "create", "--account", ANN, "--name", "all", "--scope", "write", "--scope", "admin"
    )
    assert (code, out.count("\n"), out[:4]) == (0, 1, "hsp_")
    _, listed = garden.json("tokens", "list", "--account", ANN)
    assert [token["name"] for token in listed["tokens"]] == ["all", "build"]
    assert made["token"] not in json.dumps(listed)
    assert garden.json("tokens", "revoke", "--account", ANN, made["token_id"])[0] == 0
    assert [token["name"] for token in garden.json("tokens", "list", "--account", ANN)[1]["tokens"]] == ["all"]
    garden.json("accounts", "create", "--email", BEN, "--name", "Ben", "--generate-password")
    code, refused = garden.json("tokens", "create", "--account", BEN, "--name", "x", "--scope", "admin")
    assert (code, "no admin" in refused["error"]) == (1, True)


def test_importing_again_doubles_nothing_and_bad_rows_are_named(garden: Answers, tmp_path: Path) -> None:
    file = tmp_path / "more.jsonl"
    file.write_bytes(lines_of([issue(1), issue(4), issue(5, title=None)]) + b'{"number": 6')
    code, out = garden.text("import", "tasks", file, "--project", "garden")
    assert code == 3
    assert "line 3, title: Expected `str`, got `null`" in garden.errors
    assert "line 4: it is no whole JSON object" in garden.errors
    assert "1 created, 1 were there" in out
    assert "2 bad rows" in out


def test_a_torn_file_says_how_to_go_on(garden: Answers, tmp_path: Path) -> None:
    packed = gzip.compress(lines_of([issue(number) for number in range(1, 2_001)]))
    file = tmp_path / "torn.jsonl.gz"
    file.write_bytes(packed[: len(packed) // 2])
    code, report = garden.json("import", "tasks", file, "--project", "Garden")
    assert (code, report["complete"]) == (3, False)
    _, out = garden.text("import", "tasks", file, "--project", "Garden")
    assert f"--from-line {report['go_on_from_line']}" in out
    file.write_bytes(packed)
    code, rest = garden.json("import", "tasks", file, "--project", "Garden", "--from-line", report["go_on_from_line"])
    assert (code, rest["complete"], rest["read"] + report["go_on_from_line"] - 1) == (0, True, 2_000)


def test_a_table_is_checked_dry_and_imported_with_its_columns_and_people(garden: Answers, tmp_path: Path) -> None:
    file = tmp_path / "tasks.csv"
    file.write_text("What;Who;State\nOne;bob;open\n;bob;open\nThree;eve;ajar\n")
    people = tmp_path / "people.csv"
    people.write_text(f"bob,{ANN}\n")
    command = ("import", "tasks", file, "--project", "Garden", "--map", "title=What", "--map", "assignees=Who")
    code, dry = garden.json(*command, "--people", people, "--dry-run")
    assert (code, dry["created"]) == (3, 1)
    assert [(row["line"], row["field"]) for row in dry["bad_rows"]] == [(3, "What"), (4, "State")]
    code, wet = garden.json(*command, "--people", people, "--closed", "ajar")
    assert (code, wet["created"], wet["bad"], wet["unknown_people"]) == (3, 2, 1, ["eve"])
    code, refused = garden.json(*command, "--map", "colour=What")
    assert (code, "the fields are id, title" in refused["error"]) == (1, True)
    code, refused = garden.json(*command, "--person", "bob=nobody@example.com")
    assert (code, "no member" in refused["error"]) == (1, True)


def test_what_an_import_cannot_start_with_is_said(garden: Answers, tmp_path: Path) -> None:
    for arguments, code, words in (
        ((tmp_path / "none.json", "--project", "Garden"), 2, "cannot be read"),
        ((tmp_path / "none.json", "--project", "House"), 1, "there is no project House"),
        ((tmp_path / "none.json", "--project", "Garden", "--by", BEN), 1, "there is no account"),
        ((tmp_path / "none.json", "--project", "Garden", "--map", "title"), 2, "FIELD=COLUMN"),
    ):
        found, refused = garden.json("import", "tasks", *arguments)
        assert (found, words in refused["error"]) == (code, True), refused


def test_an_export_is_written_proven_and_not_overwritten(
    garden: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "garden.csv"
    signing_key(tmp_path / "data", "example.com/log")
    code, manifest = garden.json("export", "--project", "Garden", "--out", out)
    assert (code, manifest["rows"], manifest["format"]) == (0, 6, "csv")
    rows = list(csv.DictReader(io.StringIO(out.read_text(), newline="")))
    assert "'=1+1" in [row["summary"] for row in rows if row["type"] == "task.imported.v1"]
    assert manifest["defused"]["cells"] == 1
    key = tmp_path / "data" / PUBLIC_KEY_FILE
    assert hivesync(["verify", str(out), "--key", str(key)]) == 0, capsys.readouterr()
    capsys.readouterr()
    code, refused = garden.json("export", "--out", out)
    assert (code, "is there already" in refused["error"]) == (2, True)
    code, told = garden.text("export", "--out", out, "--force")
    assert code == 0
    assert "SHA-256" in told


def test_an_export_far_from_the_installations_key_is_not_signed_by_another(garden: Answers, tmp_path: Path) -> None:
    code, manifest = garden.json("export", "--out", tmp_path / "x.csv")
    assert (code, manifest["signature"], manifest["checkpoint"]) == (0, None, None)
    assert "the installation's key is not here" in garden.errors
    assert not (tmp_path / "data").exists()


def test_the_same_part_of_the_history_gives_the_same_bytes(garden: Answers, tmp_path: Path) -> None:
    command = ("export", "--type", "task", "--actor", ANN, "--after", 3, "--through", 8, "--format", "jsonl", "--out")
    first, second = tmp_path / "a", tmp_path / "b"
    assert garden.json(*command, first)[0] == garden.json(*command, second)[0] == 0
    assert first.read_bytes() == second.read_bytes() != b""


def test_an_export_to_standard_output_is_nothing_but_the_export(garden: Answers) -> None:
    code, out = garden.text("export", "--format", "jsonl", "--type", "project.created", "--out", "-")
    assert (code, json.loads(out)["type"]) == (0, "project.created.v1")


def test_a_folder_that_takes_no_file_is_said_and_nothing_is_left(garden: Answers, tmp_path: Path) -> None:
    code, refused = garden.json("export", "--out", tmp_path / "nowhere" / "x.csv")
    assert (code, "cannot be written" in refused["error"], refused["remedy"]) == (1, True, "Nothing of it is left.")


def test_what_is_no_file_is_not_replaced_by_one(garden: Answers, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("folder.csv", "pipe.csv"):
        code, refused = garden.json("export", "--out", tmp_path / name, "--force")
        assert (code, "no file that could be replaced" in refused["error"]) == (2, True)
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)
    assert not list(tmp_path.glob("*.manifest.json")) + list(tmp_path.glob("*.proof"))


def test_an_export_that_another_process_is_writing_is_left_to_it(garden: Answers, tmp_path: Path) -> None:
    out = tmp_path / "garden.csv"
    with WholeFile(out) as others:
        others.stream.write(b"half")
        code, refused = garden.json("export", "--out", out)
        assert (code, refused["error"]) == (1, "another process is writing .garden.csv.part")
        others.finish()
        assert garden.json("export", "--out", out)[0] == 1
        others.keep()
    assert out.read_bytes() == b"half"
    assert garden.json("export", "--out", out, "--force")[0] == 0
    assert out.read_bytes() != b"half"
    assert not list(tmp_path.glob(".*.part"))


def test_a_time_of_an_export_that_utc_has_no_date_for_is_said(garden: Answers, tmp_path: Path) -> None:
    code, refused = garden.json("export", "--out", tmp_path / "x.csv", "--from", "0001-01-01T00:00+14:00")
    assert (code, refused["error"].startswith("since: ")) == (1, True)


def test_a_database_that_does_not_answer_is_said_with_the_remedy(admin: Answers) -> None:
    code, refused = admin.json("accounts", "list", "--database-url", "postgresql://u:secret@127.0.0.1:1/x")
    assert (code, refused["exit_code"]) == (4, 4)
    assert "DATABASE_URL" in refused["remedy"]
    assert "secret" not in json.dumps(refused)


def test_a_folder_without_an_installation_is_said_to_be_none(
    admin: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    code, refused = admin.json("accounts", "list")
    assert (code, "there is no HiveSync in" in refused["error"]) == (4, True)
    assert not (tmp_path / "data").exists()


def test_a_bad_setting_is_named(admin: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVESYNC_PORT", "many")
    code, refused = admin.json("accounts", "list")
    assert (code, "HIVESYNC_PORT" in refused["error"]) == (2, True)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "exit codes" in told
    assert "hivesync" in told.partition("examples:")[2] or command == "verify"


def test_the_program_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(command in told for command in COMMANDS)
    assert "examples:" in told
    assert main([]) == main(["dance"]) == 2
    assert "there is no command 'dance'" in capsys.readouterr().err


def test_it_says_so_when_it_runs_in_a_container(
    garden: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The mark that Docker leaves: a file of that name at the root.
    (tmp_path / "dockerenv").touch()
    monkeypatch.setattr(console, "CONTAINER_MARKS", (tmp_path / "dockerenv",))
    garden.text("accounts", "list")
    assert "running in a container" in garden.errors
    assert "runs in a container" in garden.text("--help")[1]


def test_nothing_of_a_person_reaches_the_log(garden: Answers, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        states = connection.execute("SELECT string_agg(state || actor, ' ') FROM eventlog.events").fetchone()
    assert states is not None
    assert ANN not in states[0]
    assert "seven quiet" not in states[0]
