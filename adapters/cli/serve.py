"""`hivesync serve`: settings, a private PostgreSQL where none is given, the server, and where to click."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shared.settings import Settings, SettingsInvalid, from_environment

if TYPE_CHECKING:
    import uvicorn

    from adapters.main import Server

EXIT_FAILED = 1
EXIT_BAD_SETTINGS = 2
EXIT_INTERRUPTED = 130


def serve() -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    stop = _Stop()
    # What is imported stays: the collector would go through it again and again, for a quarter of the start.
    gc.disable()
    try:
        return _serve(stop, time.monotonic())
    except KeyboardInterrupt:
        print("hivesync: stopped while starting", file=sys.stderr)
        return EXIT_INTERRUPTED
    finally:
        gc.enable()


def _serve(stop: _Stop, started: float) -> int:
    try:
        settings = from_environment(os.environ, _read_file)
    except SettingsInvalid as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_SETTINGS
    from adapters.observability.logs import configure_logs
    from adapters.postgres.embedded import EmbeddedPostgresError

    configure_logs(settings.log_level, settings.log_format)
    try:
        with _listening(settings) as listener, _database(settings) as url:
            stop.heed()
            return _run(msgspec.structs.replace(settings, database_url=url), listener, stop, started)
    except (EmbeddedPostgresError, CannotListen) as error:
        print(f"hivesync: {error}", file=sys.stderr)
        return EXIT_FAILED


class CannotListen(Exception):
    """The address cannot be listened on; the message says why and what to do."""


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The bound address; found out first, so that nothing else is started in vain."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise CannotListen(
                f"cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
                "Set HIVESYNC_HOST and HIVESYNC_PORT to an address of this machine that is free."
            ) from error
        yield listener


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The URL of the database that was set, or of a private PostgreSQL that runs as long as the server."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    from adapters.postgres.embedded import EmbeddedPostgres

    folder = Path(settings.data_dir) / "postgres"
    if not (folder / "cluster").exists():
        print(f"hivesync: making a private PostgreSQL in {folder}", file=sys.stderr, flush=True)
    postgres = EmbeddedPostgres(folder)
    try:
        with ThreadPoolExecutor(1) as beside:
            starting = beside.submit(postgres.start)
            # What the server is made of takes as long to import as PostgreSQL to start.
            import_module("adapters.main")
            url = starting.result()
        yield url
    finally:
        postgres.stop()


class _Stop:
    """What SIGTERM and SIGINT do from the first moment to the last: they end the start, and later the server.

    uvicorn has handlers of its own while it runs, and raises the signal again afterwards: that changes nothing then.
    """

    def __init__(self) -> None:
        self.http: uvicorn.Server | None = None
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self)

    def __call__(self, *_: object) -> None:
        self._asked = True
        if self.http is None:
            raise KeyboardInterrupt
        self.http.should_exit = True

    def heed(self) -> None:
        """End the start where that was asked for: a library that tries an import may have caught the interruption."""
        if self._asked:
            raise KeyboardInterrupt


def http_config(server: Server) -> uvicorn.Config:
    """uvicorn's settings: limits on everything, and the gateway's own protocol for sockets."""
    import uvicorn

    from adapters.gateway.protocol import GatewayProtocol
    from adapters.http import limits
    from adapters.http.guarded import GuardedHttp

    return uvicorn.Config(
        server.asgi,
        http=GuardedHttp,
        ws=GatewayProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=limits.CONNECTIONS_WAITING_MAX,
        timeout_graceful_shutdown=limits.SHUTDOWN_GRACE_S,
    )


def _run(settings: Settings, listener: socket.socket, stop: _Stop, started: float) -> int:
    import uvicorn

    from adapters.main import build
    from adapters.proof.keys import SigningKeyProblem

    try:
        server = build(settings)
    except SigningKeyProblem as error:
        print(f"hivesync: {error}", file=sys.stderr)
        return EXIT_BAD_SETTINGS
    http = uvicorn.Server(http_config(server))
    gc.freeze()
    gc.enable()

    async def greet() -> None:
        _greet(settings, await server.identity.set_up.link(), time.monotonic() - started)

    def give_up() -> None:
        http.should_exit = True

    server.when_serving(greet)
    server.when_failed(give_up)
    stop.http = http
    stop.heed()
    http.run(sockets=[listener])
    if server.failure is not None:
        print(f"hivesync: {server.failure}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _greet(settings: Settings, set_up_link: str | None, seconds: float) -> None:
    """Say where to click, and how the first admin gets in."""
    lines = [f"HiveSync is ready after {seconds:.1f} s: {settings.public_url}"]
    if set_up_link is not None:
        lines += ["", "There is no admin yet. Make the first one with this link (it works once):", f"  {set_up_link}"]
    lines += ["", f"The API to try: {settings.public_url}/api/v1/docs    Stop: Ctrl-C"]
    print("\n".join(lines), flush=True)


def _read_file(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")
