"""What a reader of YAML, TOML or XML gets to see of a file: all of it but comments and, in XML, blanks between elements."""

from __future__ import annotations

import tomllib
from xml.parsers import expat

import yaml  # type: ignore[import-untyped]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def yaml_events(source: bytes) -> list[tuple[object, ...]] | None:
    """Every event of every document, without positions; None for what is no YAML."""
    try:
        return [_event(event) for event in yaml.parse(source.decode("utf-8-sig"), Loader=_LOADER)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _event(event: yaml.Event) -> tuple[object, ...]:
    kept = {key: value for key, value in vars(event).items() if not key.endswith("_mark")}
    return (type(event).__name__, *sorted(kept.items(), key=lambda item: item[0]))


def toml_value(source: bytes) -> str | None:
    """The whole value as it prints (so that NaN equals itself and order counts); None for what is no TOML."""
    try:
        return repr(tomllib.loads(source.decode("utf-8-sig")))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None


def xml_content(source: bytes) -> list[tuple[object, ...]] | None:
    """Elements, attributes, instructions and text; None for what is not well-formed.

    Blanks count where an element also holds text, and where `xml:space` preserves them.
    """
    reader = _XmlReader()
    try:
        reader.parser.Parse(source, True)
    except expat.ExpatError:
        return None
    return reader.items


class _XmlReader:
    def __init__(self) -> None:
        self.items: list[tuple[object, ...]] = []
        self._open: list[_Element] = []
        self.parser = expat.ParserCreate()
        self.parser.ordered_attributes = True
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.ProcessingInstructionHandler = lambda *given: self.items.append(("instruction", *given))
        self.parser.StartCdataSectionHandler = lambda: self.items.append(("cdata",))
        self.parser.StartDoctypeDeclHandler = lambda *given: self.items.append(("doctype", *given))
        self.parser.EntityDeclHandler = lambda *given: self.items.append(("entity", *given))

    def _start(self, name: str, attributes: list[str]) -> None:
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        inherited = self._open[-1].preserves if self._open else False
        space = given.get("xml:space")
        self.items.append(("start", name, *attributes))
        self._open.append(_Element(space == "preserve" if space else inherited))

    def _end(self, name: str) -> None:
        element = self._open.pop()
        text = "".join(element.text)
        # Only what is between elements may grow; text that says something must not.
        if text.strip() or element.preserves:
            self.items.append(("text", text))
        self.items.append(("end", name))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)


class _Element:
    def __init__(self, preserves: bool) -> None:
        self.preserves = preserves
        self.text: list[str] = []
