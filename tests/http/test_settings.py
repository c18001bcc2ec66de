"""Settings come from the environment alone, and a start with bad ones names every one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import VARIABLES, Settings, SettingsInvalid, from_environment, sample

ROOT = Path(__file__).parents[2]


def read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def test_nothing_has_to_be_set() -> None:
    assert from_environment({}, read) == Settings()


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert from_environment({"HIVESYNC_PORT": " ", "DATABASE_URL": ""}, read) == Settings()


def test_every_bad_value_is_named_with_its_reason() -> None:
    bad = {
        "DATABASE_URL": "mysql://user:hunter2@db/x",
        "HIVESYNC_PORT": "70000",
        "HIVESYNC_ROLES": "api,dancer",
        "HIVESYNC_PUBLIC_URL": "hivemind.hivesync.net",
        "HIVESYNC_LOG_LEVEL": "loud",
        "HIVESYNC_TRUSTED_PROXIES": "10.0.0.0/8, somewhere",
        "HIVESYNC_REQUESTS_PER_MINUTE": "-1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://collector:4317",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://me:hunter2@collector:4318/v1/traces",
        "OTEL_EXPORTER_OTLP_HEADERS": "hunter2",
        "OTEL_TRACES_SAMPLER": "sometimes",
        "OTEL_TRACES_SAMPLER_ARG": "1.5",
    }
    with pytest.raises(SettingsInvalid) as raised:
        from_environment(bad, read)
    assert [problem.split()[0] for problem in raised.value.problems] == [
        variable.name for variable in VARIABLES if variable.name in bad
    ]
    assert "hunter2" not in str(raised.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://hivesync:hunter2@db/hivesync\n")
    settings = from_environment({"DATABASE_URL_FILE": str(secret)}, read)
    assert settings.database_url == "postgresql://hivesync:hunter2@db/hivesync"


def test_a_file_that_is_missing_empty_or_beside_a_value_is_refused(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe\x00")
    environments = [
        {"DATABASE_URL_FILE": str(tmp_path / "nothing")},
        {"DATABASE_URL_FILE": str(empty)},
        {"DATABASE_URL_FILE": str(binary)},
        {"DATABASE_URL_FILE": str(empty), "DATABASE_URL": "postgresql://db/x"},
    ]
    for environment in environments:
        with pytest.raises(SettingsInvalid, match="DATABASE_URL"):
            from_environment(environment, read)


def test_a_part_of_the_work_needs_a_database_that_others_reach_too() -> None:
    with pytest.raises(SettingsInvalid, match="DATABASE_URL must be set"):
        from_environment({"HIVESYNC_ROLES": "api,gateway"}, read)


def test_the_public_address_follows_the_port() -> None:
    assert from_environment({"HIVESYNC_PORT": "4100"}, read).public_url == "http://localhost:4100"


def test_the_sample_lists_every_setting_with_its_default() -> None:
    assert (ROOT / ".env.sample").read_text(encoding="utf-8") == sample(), "renew it: ./hivesync settings > .env.sample"


def test_the_sample_is_itself_a_valid_environment() -> None:
    lines = [line for line in sample().splitlines() if line and not line.startswith("#")]
    assert from_environment(dict(line.split("=", 1) for line in lines), read) == Settings()
