"""How the text of a setting is read: each takes a text and gives the value, or raises ``ValueError`` with what it must be."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def url(*schemes: str) -> Callable[[str], str]:
    """An address with one of these schemes."""

    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes:
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        _ = parts.port  # Raises where it is no number.
        return text

    return parse


def server_address(text: str) -> str:
    """The address of a server alone, over HTTP."""
    parts = urlsplit(url("http", "https")(text))
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.path.rstrip("/"):
        raise ValueError("must be the address of a server alone, such as https://hivemind.hivesync.net")
    return text.rstrip("/")


def collector(text: str) -> str:
    """The address of a collector of traces, over HTTP."""
    parts = urlsplit(url("http", "https")(text))
    if not parts.hostname:
        raise ValueError("must be an address, such as http://collector:4318")
    if parts.username or parts.password:
        raise ValueError("must hold no password; set OTEL_EXPORTER_OTLP_HEADERS")
    return text


def headers(text: str) -> str:
    """Headers of a request."""
    for part in line_of_text(text).split(","):
        name, sign, _ = part.partition("=")
        if not sign or not _HEADER_NAME.fullmatch(name.strip()):
            raise ValueError("must be name=value, with commas between them")
    return text


def share(text: str) -> float:
    """A part of a whole."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return value


def number(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two others, both allowed."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """One of some words, in lower case."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return parse


def origins(text: str) -> tuple[str, ...]:
    """Origins of web pages."""
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in named:
        try:
            server_address(part)
        except ValueError as error:
            raise ValueError(f"{part} is no origin, such as https://tools.example.org") from error
    return named


def networks(text: str) -> tuple[str, ...]:
    """Addresses and networks."""
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in named:
        try:
            ip_network(part, strict=False)
        except ValueError as error:
            raise ValueError(f"{part} is no address and no network") from error
    return named


def line_of_text(text: str) -> str:
    """Text without control characters."""
    if any(character < " " for character in text):
        raise ValueError("must not hold control characters")
    return text


def key_of_32_bytes(text: str) -> str:
    """A key in base64, left as it is."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("must be 32 random bytes in base64, such as `openssl rand -base64 32` gives")
    return text
