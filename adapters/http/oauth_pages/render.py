"""Fills the pages in. Everything that is filled in is escaped; style and script are let through by their hashes alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import escape
from importlib import resources
from string import Template
from urllib.parse import urlsplit

from litestar import Response
from litestar.datastructures import Cookie

from adapters.identity.settings import IdentitySettings

_DOES = {
    "read": "Read the projects, tasks and history that you can see",
    "write": "Create and change projects and tasks in your name",
    "live": "Host and join live sessions",
    "admin": "Administer this installation: accounts, settings, everything",
}
_MARK = '<svg viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="%s"/></svg>'
_TICK = _MARK % "M7.6 15.4L2.4 10.2l1.9-1.9 3.3 3.3 8.1-8.1 1.9 1.9z"
_WARNING = _MARK % "M10 1.5L19.3 18H.7zM9 7v5.5h2V7zm0 7v2h2v-2z"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def page(
    settings: IdentitySettings,
    template: str,
    title: str,
    *,
    status: int = 200,
    alert: str | None = None,
    cookie: Cookie | None = None,
    destination: str | None = None,
    headers: dict[str, str] | None = None,
    **values: str,
) -> Response[bytes]:
    """A whole page. ``destination`` is where a form's answer may lead beside this server: a program's address."""
    shown = Html("") if alert is None else Html(f'<p class="alert" role="alert">{escape(alert)}</p>')
    text = _fill(
        "layout.html",
        title=title,
        style=Html(_file("style.css")),
        script=Html(_file("script.js")),
        alert=shown,
        body=Html(_fill(template, **values)),
        host=urlsplit(settings.public_url).netloc,
    )
    own = {
        "content-security-policy": _policy(destination),
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
    }
    return Response(
        text.encode(),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={**own, **(headers or {})},
        cookies=[] if cookie is None else [cookie],
    )


def scope_list(scopes: Iterable[str]) -> Html:
    """The scopes as a list of what each lets a program do."""
    items = (
        f'<li class="admin">{_WARNING}<span>{_DOES[scope]}</span></li>'
        if scope == "admin"
        else f"<li>{_TICK}<span>{_DOES[scope]}</span></li>"
        for scope in scopes
    )
    return Html("".join(items))


def shown_destination(uri: str) -> str:
    """Where an answer goes, as a person can judge it: scheme and host, or the scheme of a program."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _fill(template: str, **values: str) -> str:
    filled = {name: value if isinstance(value, Html) else escape(value) for name, value in values.items()}
    return Template(_file(template)).substitute(filled)


def _policy(destination: str | None) -> str:
    """The page's Content-Security-Policy; browsers apply ``form-action`` to where a form's answer redirects, too."""
    targets = "'self'" if destination is None else f"'self' {_source(destination)}"
    return (
        f"default-src 'none'; style-src '{_hash('style.css')}'; script-src '{_hash('script.js')}'; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )


def _source(uri: str) -> str:
    """An address as a source of a policy; one with an IPv6 host can only be named by its scheme."""
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"} and "[" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


@cache
def _file(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


@cache
def _hash(name: str) -> str:
    return "sha256-" + b64encode(sha256(_file(name).encode()).digest()).decode()
