"""Serves the browser client: one page for members, one for who watches a live session, and their files, from memory.

There is no build: what stands in ``adapters/clients/web`` is what browsers run. The files' address holds a hash over all of
them, so that they may be kept for ever and never mixed with those of another version.
"""

from __future__ import annotations

import gzip
import posixpath
import re
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapters.http.authentication import ANYONE
from adapters.http.request import ApiRequest
from adapters.http.web_session import CALLBACK_PATH
from hivesync_core.kernel.refusal import NotFound

FOLDER: Final = Path(__file__).parents[1] / "clients" / "web"
ASSETS_PATH: Final = "/assets"
MEDIA_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_GZIP_FROM_BYTES: Final = 500
_IMPORT: Final = re.compile(r'\b(?:from|import)\s*"(\.{1,2}/[^"]+)"')


class FileUnknown(NotFound):
    """The browser asks for a file of another version of the client, or for none of it."""

    code = "web.no_such_file"
    title = "There is no such file"


class Asset(NamedTuple):
    """A file as it is sent."""

    media_type: str
    body: bytes
    packed: bytes | None


class Client(NamedTuple):
    """The client's files, the hash over all of them, and the pages that load them."""

    version: str
    assets: dict[str, Asset]
    page: bytes
    live_page: bytes


@cache
def client() -> Client:
    """The client, read once."""
    sources = {
        str(path.relative_to(FOLDER)): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in MEDIA_TYPES and path.parts[len(FOLDER.parts)] == "app"
    }
    version = sha256(b"".join(name.encode() + b"\0" + body for name, body in sources.items())).hexdigest()[:16]
    assets = {name: _asset(name, body) for name, body in sources.items()}
    page, live_page = (
        _page(*each, version, sources) for each in (("index.html", "main.js"), ("live.html", "live/main.js"))
    )
    return Client(version, assets, page, live_page)


def _page(template: str, entry: str, version: str, sources: dict[str, bytes]) -> bytes:
    """A page that fetches everything that its first module imports at once."""
    folder = f"{ASSETS_PATH}/{version}"
    modules = "\n".join(
        f'<link rel="modulepreload" href="{folder}/{name}">' for name in _imported(f"app/{entry}", sources)
    )
    text = (FOLDER / template).read_text(encoding="utf-8")
    return text.replace("{assets}", f"{folder}/app").replace("{modules}", modules).encode()


def _imported(entry: str, sources: dict[str, bytes]) -> list[str]:
    """A module and all that it cannot run without; what it loads when it needs it is not among them."""
    found: list[str] = []
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            folder = PurePosixPath(name).parent
            waiting += [posixpath.normpath(folder / path) for path in _IMPORT.findall(sources[name].decode())]
    return sorted(found)


def _asset(name: str, body: bytes) -> Asset:
    packed = gzip.compress(body, 9, mtime=0) if len(body) >= _GZIP_FROM_BYTES else None
    return Asset(MEDIA_TYPES[Path(name).suffix], body, packed)


@get(
    ["/", CALLBACK_PATH, "/projects", "/projects/{path:path}", "/account"],
    opt=ANYONE,
    include_in_schema=False,
)
async def page(request: ApiRequest) -> ASGIResponse:
    """The page of every address of the members' client; what it shows is decided in the browser."""
    return _answer(request, client().page)


@get("/live", opt=ANYONE, include_in_schema=False)
async def live_page(request: ApiRequest) -> ASGIResponse:
    """The page for who watches a live session; an invite stands behind the address's ``#``, which browsers keep."""
    return _answer(request, client().live_page)


def _answer(request: ApiRequest, body: bytes) -> ASGIResponse:
    headers = {
        "content-security-policy": policy(request.services.settings.public_url),
        "cache-control": "no-cache",
    }
    return ASGIResponse(body=body, media_type="text/html", headers=headers)


@get(ASSETS_PATH + "/{version:str}/{path:path}", opt=ANYONE, include_in_schema=False)
async def asset(request: ApiRequest, version: FromPath[str], path: FromPath[Path]) -> ASGIResponse:
    """A file of the client, to be kept for ever."""
    found = client().assets.get(str(path).lstrip("/")) if version == client().version else None
    if found is None:
        raise FileUnknown
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return ASGIResponse(body=found.packed, media_type=found.media_type, headers=headers)
    return ASGIResponse(body=found.body, media_type=found.media_type, headers=headers)


@cache
def policy(public_url: str) -> str:
    """The page's Content-Security-Policy: its own files alone, no inline code, no HTML made of text."""
    parts = urlsplit(public_url)
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; "
        f"connect-src 'self' {socket}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


HANDLERS = (page, live_page, asset)
