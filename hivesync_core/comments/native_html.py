"""What a browser gets to see of an HTML file: the tree that the HTML standard's parser makes, without its comments."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import html5lib  # type: ignore[import-untyped]

_EXACT = frozenset(
    {
        "pre",
        "textarea",
        "script",
        "style",
        "title",
        "xmp",
        "listing",
        "plaintext",
        "noscript",
        "iframe",
        "noembed",
        "noframes",
        "option",
    }
)
_KEEPS_BLANKS = re.compile(r"white-space(?:-collapse)?\s*:\s*(?!normal|nowrap|collapse)", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def html_content(source: bytes) -> list[object] | None:
    """Doctype, elements, attributes and text in order; runs of blanks are one blank, save where they are shown as they are."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    try:
        tree = parser.parse(source.decode("utf-8-sig"))
        found: list[object] = [parser.compatMode]
        _collect(tree, found, exact=False)
    except (RecursionError, ValueError, AssertionError, KeyError, IndexError, AttributeError):
        return None
    return _merged(found)


def _collect(node: ElementTree.Element, found: list[object], *, exact: bool) -> None:
    if isinstance(node.tag, str):
        kept = exact or node.tag.rpartition("}")[2] in _EXACT or bool(_KEEPS_BLANKS.search(node.get("style", "")))
        found.append((node.tag, *sorted(node.attrib.items(), key=str)))
        _text(node.text, found, exact=kept)
        for child in node:
            _collect(child, found, exact=kept)
            _text(child.tail, found, exact=kept)
        found.append(("/", node.tag))


def _text(text: str | None, found: list[object], *, exact: bool) -> None:
    if text:
        found.append(text if exact else _BLANKS.sub(" ", text))


def _merged(found: list[object]) -> list[object]:
    """Text that a comment split is one text again; blanks that meet are one blank, and blanks alone are none."""
    merged: list[object] = []
    for item in found:
        if isinstance(item, str) and merged and isinstance(merged[-1], str):
            both = merged[-1] + item
            merged[-1] = both.replace("  ", " ") if not both.strip(" ") else both
        else:
            merged.append(item)
    return [item for item in merged if item != " "]
