"""Every setting of the server, where it comes from (the environment alone), and what is wrong with a bad one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from shared import setting_values as values

Role = Literal["api", "gateway", "worker", "projector"]
"""What a process does: answer HTTP, serve sockets, run timed work, keep the read models up to date."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("auto", "console", "json")
ACCESS_LOGS: Final = ("all", "problems", "none")
TRACES_SAMPLERS: Final = (
    "always_on", "always_off", "traceidratio",
    "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
)  # fmt: skip


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation may choose. ``VARIABLES`` says what each means and where it comes from."""

    database_url: str | None = None
    redis_url: str | None = None
    data_dir: str = "data"
    exports_dir: str | None = None
    history_dir: str | None = None
    host: str = "127.0.0.1"
    port: int = 4000
    public_url: str = "http://localhost:4000"
    roles: frozenset[Role] = frozenset(ROLES)
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    requests_per_minute: int = 12_000
    anonymous_requests_per_minute: int = 3_000
    log_level: str = "info"
    log_format: str = "auto"
    access_log: str = "problems"
    signing_key: str | None = None
    blob_key: str | None = None
    ai_api_key: str | None = None
    otlp_endpoint: str | None = None
    otlp_traces_endpoint: str | None = None
    otlp_headers: str | None = None
    service_name: str = "hivesync"
    traces_sampler: str = "parentbased_always_on"
    traces_sampler_arg: float = 1.0

    @property
    def exports_folder(self) -> str:
        """The folder of export files, migrations among them."""
        return self.exports_dir or f"{self.data_dir}/exports"

    @property
    def history_folder(self) -> str:
        """The folder of history.jsonl."""
        return self.history_dir or f"{self.data_dir}/history"

    @property
    def traces_url(self) -> str | None:
        """Where traces are sent (OTLP over HTTP); none where nothing is traced."""
        if self.otlp_traces_endpoint is not None or self.otlp_endpoint is None:
            return self.otlp_traces_endpoint
        return f"{self.otlp_endpoint.rstrip('/')}/v1/traces"


class SettingsInvalid(Exception):
    """Some settings cannot be used; ``problems`` names each of them with its reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("HiveSync cannot start with these settings:\n" + "\n".join(f"  {p}" for p in problems))
        self.problems = problems


class Variable(NamedTuple):
    """One environment variable: the field it sets, how it is read, and what the sample says about it."""

    field: str
    name: str
    parse: Callable[[str], Any]
    help: str
    is_secret: bool = False


def _roles(text: str) -> frozenset[Role]:
    named = {part.strip() for part in text.split(",") if part.strip()}
    if named == {"all"}:
        return frozenset(ROLES)
    if not named or not named <= set(ROLES):
        raise ValueError(f"must be all, or some of {', '.join(ROLES)}, with commas between them")
    return frozenset(role for role in ROLES if role in named)


VARIABLES: Final = (
    Variable(
        "database_url",
        "DATABASE_URL",
        values.url("postgresql", "postgres"),
        "PostgreSQL 15 to 18. Empty: a private PostgreSQL 18 that HiveSync runs itself, in HIVESYNC_DATA_DIR.",
        is_secret=True,
    ),
    Variable(
        "redis_url",
        "REDIS_URL",
        values.url("redis", "rediss", "unix"),
        "Redis 7 or Valkey 8 and newer. Empty: one process, no Redis needed.",
        is_secret=True,
    ),
    Variable(
        "data_dir",
        "HIVESYNC_DATA_DIR",
        values.line_of_text,
        "Where the embedded PostgreSQL and uploaded files are kept.",
    ),
    Variable(
        "exports_dir",
        "HIVESYNC_EXPORTS_DIR",
        values.line_of_text,
        "Where export files are kept; the same for every node. Empty: exports in HIVESYNC_DATA_DIR.",
    ),
    Variable(
        "history_dir",
        "HIVESYNC_HISTORY_DIR",
        values.line_of_text,
        "Where history.jsonl, the copy of the history as a file, is written. Empty: history in HIVESYNC_DATA_DIR.",
    ),
    Variable(
        "signing_key",
        "HIVESYNC_SIGNING_KEY",
        values.line_of_text,
        "What signs checkpoints and exports (PRIVATE+KEY+...). Empty: a key made at the first start, in HIVESYNC_DATA_DIR.",
        is_secret=True,
    ),
    Variable(
        "blob_key",
        "HIVESYNC_BLOB_KEY",
        values.key_of_32_bytes,
        "What seals submitted sources: 32 random bytes in base64, the same for every node. Empty: a key in HIVESYNC_DATA_DIR.",
        is_secret=True,
    ),
    Variable(
        "ai_api_key",
        "OPENAI_API_KEY",
        values.line_of_text,
        "The key of the AI provider. Its address, the model and its limits are settings of the admin panel.",
        is_secret=True,
    ),
    Variable(
        "host",
        "HIVESYNC_HOST",
        values.line_of_text,
        "The address to listen on. 0.0.0.0: all of this machine, as in a container.",
    ),
    Variable("port", "HIVESYNC_PORT", values.number(1, 65_535), "The port to listen on."),
    Variable(
        "public_url",
        "HIVESYNC_PUBLIC_URL",
        values.server_address,
        "The address that people and clients use; https behind a proxy, such as https://hivemind.hivesync.net.",
    ),
    Variable(
        "roles",
        "HIVESYNC_ROLES",
        _roles,
        "What this process does: all, or some of api, gateway, worker, projector, with commas between them.",
    ),
    Variable(
        "allowed_origins",
        "HIVESYNC_ALLOWED_ORIGINS",
        values.origins,
        "Origins of web pages, beside HiveSync's own, that may open a socket, with commas between them.",
    ),
    Variable(
        "trusted_proxies",
        "HIVESYNC_TRUSTED_PROXIES",
        values.networks,
        "Addresses or networks of proxies whose X-Forwarded-For is believed, with commas between them.",
    ),
    Variable(
        "requests_per_minute",
        "HIVESYNC_REQUESTS_PER_MINUTE",
        values.number(0, 10_000_000),
        "Requests that one account may make to one process in a minute. 0: no limit.",
    ),
    Variable(
        "anonymous_requests_per_minute",
        "HIVESYNC_ANONYMOUS_REQUESTS_PER_MINUTE",
        values.number(0, 10_000_000),
        "Requests without a token that one address may make to one process in a minute. 0: no limit.",
    ),
    Variable("log_level", "HIVESYNC_LOG_LEVEL", values.one_of(*LOG_LEVELS), f"One of {', '.join(LOG_LEVELS)}."),
    Variable(
        "log_format",
        "HIVESYNC_LOG_FORMAT",
        values.one_of(*LOG_FORMATS),
        "console for people, json for machines (a JSON object a line), auto: console in a terminal, else json.",
    ),
    Variable(
        "access_log",
        "HIVESYNC_ACCESS_LOG",
        values.one_of(*ACCESS_LOGS),
        "Which requests are logged: all, problems (answers from 500 on, and those that took over a second), none.",
    ),
    Variable(
        "otlp_endpoint",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        values.collector,
        "An OpenTelemetry collector for traces (OTLP over HTTP), such as http://collector:4318. Empty: no traces.",
        is_secret=True,  # A mistaken one may hold a password or a key.
    ),
    Variable(
        "otlp_traces_endpoint",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        values.collector,
        "The same with its whole path, such as http://collector:4318/v1/traces; it goes before the one above.",
        is_secret=True,  # A mistaken one may hold a password or a key.
    ),
    Variable(
        "otlp_headers",
        "OTEL_EXPORTER_OTLP_HEADERS",
        values.headers,
        "Headers for the collector, such as a key of it: name=value, with commas between them.",
        is_secret=True,
    ),
    Variable("service_name", "OTEL_SERVICE_NAME", values.line_of_text, "What this installation is called in traces."),
    Variable(
        "traces_sampler",
        "OTEL_TRACES_SAMPLER",
        values.one_of(*TRACES_SAMPLERS),
        f"Which requests are traced: one of {', '.join(TRACES_SAMPLERS)}.",
    ),
    Variable(
        "traces_sampler_arg",
        "OTEL_TRACES_SAMPLER_ARG",
        values.share,
        "The part of requests that traceidratio takes, from 0 to 1.",
    ),
)
"""Every variable, in the order of the sample."""


def from_environment(environ: Mapping[str, str], read_file: Callable[[str], str]) -> Settings:
    """The settings that the environment holds; an empty variable is one that is not set.

    ``NAME_FILE`` names a file with the value, which ``read_file`` gives (raising OSError or UnicodeDecodeError).
    Raises ``SettingsInvalid`` with every variable that is wrong. A secret's value is in no message.
    """
    given: dict[str, Any] = {}
    problems: list[str] = []
    for variable in VARIABLES:
        try:
            text = _value(variable, environ, read_file)
            if text is not None:
                given[variable.field] = variable.parse(text)
        except (ValueError, OSError) as error:
            problems.append(_problem(variable, environ, error))
    if not problems and "public_url" not in given:
        given["public_url"] = f"http://localhost:{given.get('port', 4000)}"
    if not problems and "database_url" not in given and given.get("roles", frozenset(ROLES)) != frozenset(ROLES):
        problems.append("DATABASE_URL must be set where HIVESYNC_ROLES gives this process a part of the work only.")
    if problems:
        raise SettingsInvalid(problems)
    return Settings(**given)


def _value(variable: Variable, environ: Mapping[str, str], read_file: Callable[[str], str]) -> str | None:
    text, path = environ.get(variable.name, "").strip(), environ.get(f"{variable.name}_FILE", "").strip()
    if text and path:
        raise ValueError(f"and {variable.name}_FILE are both set; set one of them")
    if path:
        text = read_file(path).strip()
        if not text:
            raise ValueError(f"the file {path} is empty")
    return text or None


def _problem(variable: Variable, environ: Mapping[str, str], error: Exception) -> str:
    """What is wrong, with the value where it is no secret."""
    if isinstance(error, OSError):
        return f"{variable.name}_FILE: {error.filename} cannot be read: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return f"{variable.name}_FILE: the file is not UTF-8 text"
    shown = environ.get(variable.name, "")
    value = "" if variable.is_secret or not shown else f" (it is {shown[:100]!r})"
    return f"{variable.name} {error}{value}"


def sample() -> str:
    """The text of ``.env.sample``: every variable with its default and what it is for."""
    lines = [
        "# Every setting of HiveSync with its default. Set them in the environment; nothing here is required.",
        "# Docker Compose reads a copy of this file named .env by itself; in a shell: set -a; . ./.env; set +a",
        "# Any of them may also be given as a file, as secrets are: NAME_FILE=/path/to/file instead of NAME=value.",
    ]
    defaults = Settings()
    for variable in VARIABLES:
        lines += ["", f"# {variable.help}", f"{variable.name}={_shown(getattr(defaults, variable.field))}"]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, frozenset):
        return "all" if value == frozenset(ROLES) else ",".join(sorted(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
