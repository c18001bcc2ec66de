"""Which language a file is in: by its name or its first line, and refused with a reason where it is none of those that are handled."""

from __future__ import annotations

import pytest

from hivesync_core.comments import LANGUAGES, FileRefused, check, language_of

WANTED = [
    "python", "javascript", "typescript", "jsx", "tsx", "java", "c", "cpp", "csharp", "go", "rust", "ruby", "php", "kotlin", "swift",
    "scala", "bash", "sql", "html", "css", "yaml", "toml", "dockerfile", "lua",
]  # fmt: skip
"""Those that the contract names (AI-7)."""
NAMES = {
    "python": "a.py a.pyi a.pyw A.PY src/a.py C:\\a\\b.py SConstruct",
    "javascript": "a.js a.mjs a.cjs",
    "jsx": "a.jsx",
    "typescript": "a.ts a.mts a.cts a.d.ts",
    "tsx": "a.tsx",
    "java": "A.java",
    "c": "a.c a.h",
    "cpp": "a.cc a.cpp a.cxx a.hpp a.hh a.hxx a.C a.H",
    "csharp": "A.cs a.csx",
    "go": "a.go",
    "rust": "a.rs",
    "ruby": "a.rb a.rake a.gemspec config.ru Rakefile Gemfile Podfile Vagrantfile",
    "php": "a.php a.phtml",
    "kotlin": "a.kt build.gradle.kts",
    "swift": "a.swift Package.swift",
    "scala": "a.scala a.sc build.sbt",
    "bash": "a.sh a.bash a.zsh a.ksh .bashrc .zshrc .profile",
    "sql": "a.sql",
    "html": "a.html a.htm",
    "css": "a.css",
    "yaml": "a.yaml a.yml .gitlab-ci.yml .clang-format",
    "toml": "a.toml Pipfile",
    "dockerfile": "Dockerfile dockerfile Dockerfile.dev Dockerfile-dev dev.Dockerfile a.dockerfile Containerfile deploy/Dockerfile",
    "makefile": "Makefile makefile GNUmakefile a.mk",
    "lua": "a.lua",
    "scss": "a.scss",
    "hcl": "a.tf a.tfvars a.hcl",
    "r": "a.R a.r",
    "perl": "a.pl a.pm",
    "powershell": "a.ps1 a.psm1",
    "elixir": "a.ex a.exs",
    "haskell": "a.hs",
    "ocaml": "a.ml",
    "dart": "a.dart",
    "vue": "a.vue",
    "svelte": "a.svelte",
    "xml": "a.xml a.svg a.csproj",
}
FIRST_LINES = {
    "python": ["#!/usr/bin/env python3", "#!/usr/bin/python3.11 -u", "#!/usr/bin/env -S A=1 python3"],
    "bash": ["#!/bin/sh", "#! /bin/bash -e", "#!/usr/bin/env zsh", "#!/bin/dash"],
    "javascript": ["#!/usr/bin/env node", "#!/usr/bin/env bun"],
    "typescript": ["#!/usr/bin/env -S deno run --allow-all"],
    "ruby": ["#!/usr/bin/ruby2.7"],
    "perl": ["#!/usr/bin/perl -w"],
    "lua": ["#!/usr/bin/lua5.4"],
    "php": ["#!/usr/bin/php8.2"],
    "makefile": ["#!/usr/bin/make -f"],
}
UNKNOWN = [
    "a.md", "a.json", "a.txt", "a.zig", "a.nix", "a.proto", "a.j2", "a.html.erb", "a.sh.tmpl", "a.py.bak", "Jenkinsfile", "LICENSE",
    "noname", ".", ".gitignore", "a.",
]  # fmt: skip


@pytest.mark.parametrize(("language", "name"), [(one, name) for one, names in NAMES.items() for name in names.split()])
def test_a_file_s_name_says_its_language(language: str, name: str) -> None:
    assert language_of(name, b"x\n") == language


@pytest.mark.parametrize(("language", "line"), [(one, line) for one, lines in FIRST_LINES.items() for line in lines])
def test_a_file_without_an_extension_says_it_in_its_first_line(language: str, line: str) -> None:
    assert language_of("bin/run", line.encode() + b"\nx\n") == language
    assert language_of("bin/run", line.encode() + b"\r\nx\r\n") == language
    assert language_of("bin/run.unknown", line.encode() + b"\nx\n") is None


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_not_guessed(name: str) -> None:
    assert language_of(name, b"import os\nprint(1)\n") is None


def test_every_language_of_the_contract_is_there_and_every_language_has_a_name() -> None:
    assert set(WANTED) <= LANGUAGES.keys()
    assert NAMES.keys() == LANGUAGES.keys()


@pytest.mark.parametrize(
    "name", ["json", "markdown", "Python", "PYTHON", "py", "", " python", "python\0", "../python", "c++"]
)
def test_a_language_that_is_not_handled_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(FileRefused) as refused:
        check(b"x = 1\n", name, [])
    assert refused.value.cause == "file.language_unknown"
    assert all(language in refused.value.reason for language in WANTED)
