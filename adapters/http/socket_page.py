"""The socket's description for people: how to come in, every message, every close code, every limit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>HiveSync socket</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8886; }}
code {{ font-family: ui-monospace, Menlo, Consolas, monospace; }}
.scroll {{ overflow-x: auto; }}
</style></head><body><main>
<h1>HiveSync socket</h1>
{about}
<p>The same for programs: <a href="/api/v1/asyncapi.json">asyncapi.json</a> (AsyncAPI 3.0).</p>
<h2>What a client sends</h2>{to_server}
<h2>What the server says</h2>{from_server}
<h2>Live sessions: <code>{live_path}</code></h2>
{about_live}
<h3>What a host or a viewer sends</h3>{to_live}
<h3>What a host is sent</h3>{to_host}
<h3>What a viewer is sent</h3>{to_viewer}
<h2>Close codes</h2>{codes}
<h2>Limits</h2>{limits}
</main></body></html>
"""


def socket_page(document: dict[str, Any]) -> str:
    """The page of an AsyncAPI document as ``asyncapi_document`` makes it."""
    live = document["channels"]["live"]
    return _PAGE.format(
        about=_paragraphs(document["info"]["description"]),
        live_path=live["address"],
        about_live=_paragraphs(live["description"]),
        to_live=_messages(document, "receiveLive"),
        to_host=_messages(document, "sendToHost"),
        to_viewer=_messages(document, "sendToViewer"),
        to_server=_messages(document, "receive"),
        from_server=_messages(document, "send"),
        codes=_table(
            ("Code", "Cause", "What a client does"),
            ((str(code["code"]), _cause(code), code["remedy"]) for code in document["x-close-codes"]),
        ),
        limits=_table(
            ("Limit", "Value"),
            (
                (f"`{name}`", f"{value:,}")
                for limits in (document["x-limits"], document["x-live-limits"])
                for name, value in limits.items()
            ),
        ),
    )


def _cause(code: dict[str, Any]) -> str:
    """What a close code says, with what each reason in the close frame says."""
    reasons = " ".join(f"`{reason}`: {meaning}" for reason, meaning in code["reasons"].items())
    return f"{code['cause']} {reasons}".strip()


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_marked(part)}</p>" for part in text.strip().split("\n\n"))


def _messages(document: dict[str, Any], operation: str) -> str:
    names = [message["$ref"].rpartition("/")[2] for message in document["operations"][operation]["messages"]]
    described = [document["components"]["messages"][name] for name in names]
    return _table(("event_type", ""), ((f"`{each['name']}`", each["description"]) for each in described))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join("<tr>" + "".join(f"<td>{_marked(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _marked(text: str) -> str:
    """Text with `code` and **strong** as HTML; all else is escaped."""
    marked = re.sub(r"`{1,2}([^`]+)`{1,2}", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked)
