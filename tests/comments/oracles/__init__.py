"""Judges of whether two files are the same program: the languages' own compilers and reference parsers, not the grammars.

An oracle takes paths and gives, for each, a text that is equal for equal programs; None where it cannot read the file.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import re
import shutil
import subprocess
import tempfile
import tokenize
import tomllib
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import html5lib
import sqlglot
import tinycss2
import yaml

from tests.servers.webtools import has_npm, node_modules

HERE = Path(__file__).parent
_TIMEOUT_S = 600
_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []
"""What was built here; it goes when this process ends."""
Oracle = Callable[[Sequence[Path]], list[str | None]]


_PACKAGES = {
    "node": "npm",
    "javac": "default-jdk-headless",
    "go": "golang-go",
    "gcc": "gcc",
    "g++": "g++",
    "ruby": "ruby",
    "php": "php-cli",
    "Rscript": "r-base-core",
    "bash": "bash",
    "perl": "perl",
    "luac5.4": "lua5.4",
    "make": "make",
    "rustc": "rustc",
}


def oracles() -> dict[str, Oracle]:
    """Those whose compiler is on this machine, by language."""
    found: dict[str, Oracle] = {
        "python": _each(_python),
        "yaml": _each(_yaml),
        "toml": _each(_toml),
        "css": _each(_css),
        "html": _each(_html),
        "xml": _each(_xml),
        "sql": _each(_sql),
    }
    return found | {language: oracle for language, (program, oracle) in _compilers().items() if _is_here(program)}


def missing() -> dict[str, str]:
    """The languages that have no judge on this machine, and Debian's package with the compiler that would be one."""
    return {language: _PACKAGES[program] for language, (program, _) in _compilers().items() if not _is_here(program)}


def _compilers() -> dict[str, tuple[str, Oracle]]:
    return {
        "javascript": ("node", _typescript),
        "typescript": ("node", _typescript),
        "tsx": ("node", _typescript),
        "jsx": ("node", _typescript),
        "java": ("javac", _java),
        "go": ("go", _go),
        "c": ("gcc", _preprocessed("c")),
        "cpp": ("g++", _preprocessed("c++")),
        "ruby": ("ruby", _lines(["ruby", str(HERE / "tokens.rb")])),
        "php": ("php", _lines(["php", str(HERE / "tokens.php")])),
        "r": ("Rscript", _lines(["Rscript", "--vanilla", str(HERE / "tokens.R")])),
        "bash": ("bash", _each(_bash)),
        "perl": ("perl", _each(_perl)),
        "lua": ("luac5.4", _each(_lua)),
        "makefile": ("make", _each(_make)),
        "rust": ("rustc", _each(_rust)),
    }


def _is_here(program: str) -> bool:
    return shutil.which(program) is not None and (program != "node" or has_npm())


def _each(read: Callable[[Path], object | None]) -> Oracle:
    def judge(paths: Sequence[Path]) -> list[str | None]:
        said = (read(path) for path in paths)
        return [
            None if one is None else hashlib.sha256(repr(one).encode("utf-8", "replace")).hexdigest() for one in said
        ]

    return judge


def _lines(command: Sequence[str]) -> Oracle:
    """A program that answers one line for each path; `-` for what it cannot read."""

    def judge(paths: Sequence[Path]) -> list[str | None]:
        given = "".join(f"{path}\n" for path in paths)
        ran = subprocess.run(command, input=given, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        said = ran.stdout.splitlines()
        assert len(said) == len(paths), ran.stderr[-2000:]
        return [None if line == "-" else line for line in said]

    return judge


def _typescript(paths: Sequence[Path]) -> list[str | None]:
    return _lines(["node", str(HERE / "tokens.js"), str(node_modules(HERE) / "typescript")])(paths)


@cache
def _built(name: str) -> list[str]:
    _FOLDERS.append(tempfile.TemporaryDirectory(prefix="hivesync-oracle-"))
    folder = Path(_FOLDERS[-1].name)
    if name == "java":
        subprocess.run(["javac", "-d", str(folder), str(HERE / "Tokens.java")], check=True, timeout=_TIMEOUT_S)
        return ["java", "-cp", str(folder), "Tokens"]
    subprocess.run(
        ["go", "build", "-o", str(folder / "tokens"), str(HERE / "tokens.go")],
        check=True,
        timeout=_TIMEOUT_S,
        env={
            "GOCACHE": str(folder),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(folder),
            "GOFLAGS": "-mod=mod",
        },
    )
    return [str(folder / "tokens")]


def _java(paths: Sequence[Path]) -> list[str | None]:
    return _lines(_built("java"))(paths)


def _go(paths: Sequence[Path]) -> list[str | None]:
    return _lines(_built("go"))(paths)


def _ran(*command: str) -> bytes | None:
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return ran.stdout if ran.returncode == 0 else None


def _preprocessed(language: str) -> Oracle:
    """Everything that the compiler proper would get, with the macros that are defined."""

    def read(path: Path) -> object | None:
        said = _ran(
            "gcc",
            "-x",
            language,
            "-E",
            "-P",
            "-dD",
            "-w",
            "-fdirectives-only",
            f"-I{path.parent}",
            "-I/usr/include",
            str(path),
        )
        if said is None:
            return None
        joined = re.sub(rb"\\\n", b" ", said)
        # With -fdirectives-only comments stay; a second run takes them out as the compiler does.
        ran = subprocess.run(
            ["gcc", "-x", language, "-E", "-P", "-fpreprocessed", "-dD", "-w", "-"],
            input=joined,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return ran.stdout.split() if ran.returncode == 0 else None

    return _each(read)


def _python(path: Path) -> object | None:
    source = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.dump(ast.parse(source))
            code = [
                (one.type, one.string)
                for one in tokenize.tokenize(io.BytesIO(source).readline)
                if one.type not in (tokenize.COMMENT, tokenize.NL)
            ]
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError):
        return None
    return tree, code, tokenize.detect_encoding(io.BytesIO(source).readline)[0]


def _yaml(path: Path) -> object | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return [
            (type(one).__name__, getattr(one, "value", None), getattr(one, "style", None))
            for one in yaml.scan(text, Loader=yaml.SafeLoader)
        ]
    except (yaml.YAMLError, ValueError):
        return None


def _toml(path: Path) -> object | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, ValueError):
        return None


def _css(path: Path) -> object | None:
    found: list[object] = []
    _css_nodes(
        tinycss2.parse_stylesheet(path.read_text(encoding="utf-8"), skip_comments=True, skip_whitespace=True), found
    )
    return None if "error" in found else found


def _css_nodes(nodes: Sequence[object], found: list[object]) -> None:
    for node in nodes:
        kind = getattr(node, "type", "")
        if kind == "comment":
            continue
        if kind == "whitespace":
            if not found or found[-1] != " ":
                found.append(" ")
            continue
        found.append(kind)
        found += [
            getattr(node, name)
            for name in ("value", "unit", "name", "at_keyword", "lower_name")
            if hasattr(node, name) and not isinstance(getattr(node, name), list)
        ]
        for name in ("prelude", "content", "arguments", "value"):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                _css_nodes(inner, found)


def _html(path: Path) -> object | None:
    tree = html5lib.parse(path.read_text(encoding="utf-8-sig"), treebuilder="dom")
    found: list[object] = []
    _html_nodes(tree, found, keep=False)
    return _joined(found)


def _html_nodes(node: object, found: list[object], *, keep: bool) -> None:
    for child in node.childNodes:  # type: ignore[attr-defined]
        if child.nodeType == child.TEXT_NODE:
            found.append(child.data if keep else re.sub(r"[ \t\r\n\f]+", " ", child.data))
        elif child.nodeType == child.ELEMENT_NODE:
            kept = (
                keep
                or child.tagName in ("pre", "textarea", "script", "style", "title")
                or "white-space" in (child.getAttribute("style") or "")
            )
            found.append((child.tagName, sorted(dict(child.attributes.items()).items(), key=str)))
            _html_nodes(child, found, keep=kept)
            found.append("</>")
        elif child.nodeType != child.COMMENT_NODE:
            found.append(child.nodeType)


def _joined(found: list[object]) -> object:
    """Neighbouring texts are one, and blanks next to nothing but tags are layout."""
    kept: list[object] = []
    for one in found:
        if isinstance(one, str) and one != "</>" and kept and isinstance(kept[-1], str) and kept[-1] != "</>":
            kept[-1] = re.sub(r"  +", " ", kept[-1] + one) if not (kept[-1] + one).strip() else kept[-1] + one
        else:
            kept.append(one)
    return [one for one in kept if one != " "]


def _xml(path: Path) -> object | None:
    try:
        tree = ET.parse(path, parser=ET.XMLParser(target=ET.TreeBuilder(insert_pis=True)))
    except (ET.ParseError, ValueError, LookupError):
        return None
    return [
        (one.tag, sorted(one.attrib.items()), *(text if text and text.strip() else "" for text in (one.text, one.tail)))
        for one in tree.iter()
    ]


def _sql(path: Path) -> object | None:
    """Two dialects, since they disagree about backslashes and `#`; blank statements that a comment adds are none."""
    text = path.read_text(encoding="utf-8-sig")
    found = []
    for dialect in ("postgres", "mysql"):
        try:
            found.append(_sql_tokens(text, dialect))
        except sqlglot.errors.SqlglotError:
            found.append(None)
    return None if found[0] is None else found


def _sql_tokens(text: str, dialect: str) -> list[tuple[str, str]]:
    """The tokens; what follows a command that sqlglot does not look into, comments and all, is read as an expression is."""
    tokens: list[tuple[str, str]] = []
    for one in sqlglot.tokenize(text, read=dialect):
        if tokens and tokens[-1][0].endswith(".COMMAND") and str(one.token_type).endswith(".STRING"):
            tokens += _sql_tokens(f"SELECT {one.text}", dialect)[1:]
        else:
            tokens.append((str(one.token_type), one.text))
    return tokens


def _bash(path: Path) -> object | None:
    said = _ran("bash", "--norc", "--pretty-print", str(path))
    return None if said is None else [line for line in said.splitlines() if line.strip()]


def _perl(path: Path) -> object | None:
    """Deparsed with its data; BEGIN blocks run, so it is for files of the system alone.

    A file that asks for its own line numbers is another program after any new line: that limit is known, and not judged.
    """
    if b"__LINE__" in path.read_bytes():
        return None
    command = ["perl", f"-I{path.parent}", "-MO=Deparse,-q", str(path)]
    steady = {**os.environ, "PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False, env=steady)
    if ran.returncode != 0:
        return None
    said = ran.stdout
    data = re.split(rb"^__(?:END|DATA)__", path.read_bytes(), maxsplit=1, flags=re.M)[1:]
    return said.replace(str(path).encode(), b""), data


def _rust(path: Path) -> object | None:
    """The syntax tree that rustc prints, without places: they move, and nothing else may."""
    command = ["rustc", "-Zunpretty=ast-tree", "--edition=2021", "--crate-type=lib", str(path)]
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
    if ran.returncode:
        return None
    return re.sub(rb"(?:[^\s\"]*:\d+:\d+: \d+:\d+|no-location) \(#\d+\)", b"", ran.stdout)


def _lua(path: Path) -> object | None:
    with tempfile.NamedTemporaryFile() as written:
        ran = subprocess.run(
            ["luac5.4", "-s", "-o", written.name, str(path)], capture_output=True, timeout=60, check=False
        )
        # The name of the chunk and its first line are all that is left of places.
        if ran.returncode != 0:
            return None
        listed = subprocess.run(["luac5.4", "-l", "-l", "-p", str(path)], capture_output=True, timeout=60, check=False)
        bare = re.sub(rb"\[-?\d+\]|0x[\da-f]+|<[^>]*:\d+,\d+>|<[^>]*>|\d+ (?:bytes|instructions?)", b"", listed.stdout)
        return bare


def _make(path: Path) -> object | None:
    """What make knows after reading: variables, rules and recipes, without places and without the file's own name."""
    ran = subprocess.run(
        ["make", "-pnRrq", "-f", str(path), "no-such-target"], capture_output=True, timeout=60, check=False
    )
    if b"missing separator" in ran.stderr or b"*** commands" in ran.stderr or b"*** missing" in ran.stderr:
        return None
    told = ran.stdout.replace(str(path).encode(), b"FILE").replace(str(path.parent).encode(), b"FOLDER")
    blocks = re.split(rb"\n\n+", re.sub(rb"^#.*\n", b"", told, flags=re.MULTILINE))
    return sorted(block.strip() for block in blocks if block.strip())
