"""`hivesync verify` speaks to people and to programs, and its exit code is the verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.cli.verify import main
from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.schema import create_schema
from adapters.proof.keys import SigningKeyProblem, signing_key
from hivesync_core.exports.events import ExportFormat
from hivesync_core.proof.note import PublicKey
from tests.proof.events import KEY, make_log
from tests.proof.exports import export
from tests.proof.store import keeper_of, store, tamper


@pytest.fixture
def installation(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with its key, a signed log in a database, and an export."""
    key = signing_key(tmp_path, "log.example/made")
    store(postgres_url, make_log(50))
    export(postgres_url, tmp_path, [("all", ExportFormat.CSV)], key)
    monkeypatch.setenv("HIVESYNC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    return tmp_path


def test_an_export_and_the_store_are_genuine(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(installation / "all.csv")]) == 0
    assert capsys.readouterr().out.startswith(f"GENUINE: {installation / 'all.csv'}")
    assert main([]) == 0
    assert "50 events read" in capsys.readouterr().out


def test_what_was_tampered_with_is_named_to_people_and_programs(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(os.environ["DATABASE_URL"], "UPDATE eventlog.events SET actor = 'system' WHERE notification_id = 17")
    assert main(["--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["ok"], verdict["exit_code"]) == (False, 1)
    assert (verdict["finding"]["kind"], verdict["finding"]["position"]) == ("changed", 17)
    assert main([]) == 1
    assert "event 17 was changed" in capsys.readouterr().out


def test_what_cannot_be_read_is_neither_genuine_nor_tampered(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nothing.csv")]) == 2
    assert "CANNOT TELL" in capsys.readouterr().err
    assert main(["--json", str(tmp_path / "nothing.csv")]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is None
    assert main(["--key", "no key", str(installation / "all.csv")]) == 2
    assert main(["--key", str(KEY.public)[:-1] + "A", str(installation / "all.csv")]) == 2


def test_the_worst_of_several_files_is_the_exit_code(installation: Path) -> None:
    (installation / "all.csv").write_bytes((installation / "all.csv").read_bytes()[:-40])
    assert main([str(installation / "all.csv"), str(installation / "none.csv")]) == 2
    assert main([str(installation / "all.csv")]) == 1


def test_the_public_key_may_be_given_as_text_or_as_a_file(installation: Path, tmp_path: Path) -> None:
    text = (installation / "signing.pub").read_text().strip()
    (tmp_path / "elsewhere.pub").write_text(text)
    for given in (text, str(tmp_path / "elsewhere.pub")):
        assert main(["--key", given, str(installation / "all.csv")]) == 0
    assert main(["--key", str(KEY.public), str(installation / "all.csv")]) == 1


def test_it_verifies_offline_without_a_server_in_a_process_of_its_own(installation: Path) -> None:
    command = [sys.executable, "-m", "adapters.cli.verify", "--key", str(installation / "signing.pub")]
    ended = subprocess.run(
        [*command, str(installation / "all.csv.manifest.json")],
        cwd=Path(__file__).parents[2], env={"PATH": os.defpath}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "GENUINE" in ended.stdout


async def test_the_private_database_is_found_running_and_started_when_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = signing_key(tmp_path, "log.example/made")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        create_schema(server.url())
        store(server.url(), make_log(10))
        async with keeper_of(server.url(), tmp_path, key) as keeper:
            await keeper.sign()
        assert main(["--data-dir", str(tmp_path)]) == 0
    assert main(["--data-dir", str(tmp_path)]) == 0
    assert main(["--data-dir", str(tmp_path / "empty"), "--key", str(key.public)]) == 2


def test_the_key_is_made_once_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    key = signing_key(tmp_path, "log.example/made")
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600
    assert PublicKey.parse((tmp_path / "signing.pub").read_text()) == key.public
    assert signing_key(tmp_path, "another.name") == key
    assert sorted(path.name for path in tmp_path.iterdir()) == ["signing.key", "signing.pub"]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path, "log.example/made")
    (tmp_path / "signing.key").chmod(0o640)
    with pytest.raises(SigningKeyProblem, match="chmod 600"):
        signing_key(tmp_path, "log.example/made")


def test_a_key_given_by_a_setting_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert signing_key(tmp_path, "log.example/made", KEY.secret_text()) == KEY
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SigningKeyProblem, match="HIVESYNC_SIGNING_KEY"):
        signing_key(tmp_path, "log.example/made", "nonsense")


def test_a_log_cannot_be_named_by_what_signatures_do_not_carry(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyProblem, match="cannot name a log"):
        signing_key(tmp_path, "two words")
