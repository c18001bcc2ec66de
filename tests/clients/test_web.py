"""The browser client as it lies on the disk: sound types, nothing from elsewhere, no way for text to become code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from adapters.http.web_client import client, policy
from tests.servers.webtools import CLIENT, has_npm, node_modules

APP = CLIENT / "app"
WAYS_TO_CODE = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", r"document\.write", r"\beval\(", "new Function", "srcdoc", "[\"'`]javascript:",
    "DOMParser", "createContextualFragment",
)  # fmt: skip
VENDORED = APP / "vendor"
SOURCES = sorted(path for path in APP.rglob("*.js") if VENDORED not in path.parents)

if has_npm():

    def test_the_types_of_the_client_are_sound() -> None:
        compiler = node_modules() / "typescript" / "bin" / "tsc"
        command = ["node", str(compiler), "--project", str(CLIENT / "tsconfig.json")]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def test_what_the_live_page_makes_of_messages_is_what_the_host_has() -> None:
        tests = sorted(str(path) for path in CLIENT.joinpath("tests").glob("*.test.js"))
        command = ["node", "--test", "--test-reporter=spec", *tests]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "pass 0" not in ran.stdout

    def test_vendored_code_is_what_the_pinned_packages_give(tmp_path: Path) -> None:
        command = ["node", str(CLIENT / "vendor" / "build.mjs"), str(node_modules()), str(tmp_path / "made")]
        subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        made, kept = (
            {path.name: path.read_bytes() for path in folder.iterdir()}
            for folder in (tmp_path / "made", VENDORED / "codemirror")
        )
        assert made.keys() == kept.keys()
        assert [name for name in made if made[name] != kept[name]] == []


@pytest.mark.parametrize("path", sorted(APP.rglob("*.js")), ids=lambda path: path.name)
def test_no_text_can_become_code(path: object) -> None:
    text = APP.joinpath(str(path)).read_text(encoding="utf-8")
    assert re.findall("|".join(WAYS_TO_CODE), text) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_modules_stay_readable(path: object) -> None:
    lines = APP.joinpath(str(path)).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
    assert lines[0].startswith("// "), "a module opens with what it is for"


def test_the_client_names_no_foreign_address() -> None:
    for path in [*APP.rglob("*.js"), *APP.rglob("*.css"), CLIENT / "index.html", CLIENT / "live.html"]:
        found = set(re.findall(r"https?://[^\s\"'`)\\]+", path.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org/2000/svg"}, path.name


def test_the_pages_load_every_module_under_one_version_and_have_no_inline_code() -> None:
    pages = client().page.decode(), client().live_page.decode()
    for page in pages:
        assert "{" not in page
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=", page) == []
    for name in (str(path.relative_to(CLIENT)) for path in SOURCES):
        assert any(f'href="/assets/{client().version}/{name}"' in page for page in pages), name


def test_members_do_not_fetch_what_only_the_live_page_needs_nor_anybody_a_language_before_it_is_shown() -> None:
    assert "/live/" not in client().page.decode()
    assert "/vendor/" not in client().page.decode()
    assert len(re.findall("/vendor/codemirror/", client().live_page.decode())) < 4


def test_the_policy_lets_only_the_servers_own_files_and_socket_in() -> None:
    directives = dict(part.strip().split(" ", 1) for part in policy("https://hive.example.org").split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["connect-src"] == "'self' wss://hive.example.org"
    assert directives["trusted-types"] == "'none'"
    assert "unsafe" not in policy("https://hive.example.org")
