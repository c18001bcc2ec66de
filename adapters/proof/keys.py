"""The key that signs checkpoints and exports: given by a setting, or made at the first start and kept in the data folder."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from adapters.durable_files import ReadableByOthers, kept_key
from hivesync_core.proof.note import KeyRefused, SigningKey, is_key_name
from shared.settings import Settings

KEY_FILE = "signing.key"
PUBLIC_KEY_FILE = "signing.pub"


class SigningKeyProblem(Exception):
    """There is no key to sign with; the message says what to do."""


def signing_key(data_dir: Path, origin: str, given: str = "") -> SigningKey:
    """The key of this installation.

    ``given`` is the setting HIVESYNC_SIGNING_KEY, a line ``PRIVATE+KEY+…``; without it the key lies in ``data_dir``,
    readable by its owner only, and is made there under the name ``origin`` when there is none. A key keeps its name:
    whoever knows the public key knows it by that name too. Raises ``SigningKeyProblem``.
    """
    if given:
        return _parsed(given, "HIVESYNC_SIGNING_KEY")
    path = data_dir / KEY_FILE
    try:
        key = _parsed(kept_key(path, lambda: _new_key(origin)), str(path))
        _publish(data_dir / PUBLIC_KEY_FILE, key)
    except ReadableByOthers as error:
        raise SigningKeyProblem(str(error)) from error
    except UnicodeDecodeError as error:
        raise SigningKeyProblem(f"{path} holds no signing key: it is no text") from error
    except OSError as error:
        raise SigningKeyProblem(
            f"no signing key can be kept in {data_dir} ({error.strerror}): let it be written, or set HIVESYNC_SIGNING_KEY"
        ) from error
    return key


def installation_key(settings: Settings) -> SigningKey:
    """The key of this installation, made under the name of its public address where there is none yet."""
    host = urlsplit(settings.public_url).hostname or "localhost"
    return signing_key(Path(settings.data_dir), f"{host}/log", settings.signing_key or "")


def _new_key(origin: str) -> str:
    if not is_key_name(origin):
        raise SigningKeyProblem(f"{origin!r} cannot name a log: it must have no white space and no plus")
    return SigningKey(origin, secrets.token_bytes(32)).secret_text()


def _publish(path: Path, key: SigningKey) -> None:
    """Keep the public key beside the secret one, for people to copy."""
    line = f"{key.public}\n"
    if not path.exists() or path.read_text(encoding="utf-8") != line:
        path.write_text(line, encoding="utf-8")


def _parsed(text: str, where: str) -> SigningKey:
    try:
        return SigningKey.parse(text)
    except KeyRefused as error:
        raise SigningKeyProblem(f"{where} holds no signing key: {error}") from error
