"""Which files may be shown: none that are named like secrets, none that ignore files exclude."""

from __future__ import annotations

import time

import pytest

from hivesync_core.live.names import NameRefused, NameRules, refuse_bad_patterns
from hivesync_core.live.refusals import PatternRefused


def refused(rules: NameRules, name: str) -> tuple[str, str | None] | None:
    """The code and the rule by which a name is refused."""
    try:
        rules.check(name)
    except NameRefused as error:
        return error.code, error.rule
    return None


@pytest.mark.parametrize(
    "name",
    [".env", "src/.env.production", ".ENV", ".env. ", "a/.Env/b", ".git/config", "sub/.git/HEAD", "id_rsa", "ID_RSA.pub",
     "tls/server.KEY", "cert.pem", ".ssh/config", ".aws/credentials", "terraform.tfstate", "prod.tfvars", ".npmrc",
     "secrets.yaml", "app/secrets/db.txt", "service-account-prod.json", "backup.kdbx"],
)  # fmt: skip
def test_files_named_like_secrets_are_refused_and_the_rule_is_named(name: str) -> None:
    found = refused(NameRules(), name)
    assert found is not None
    assert found[0] == "file.secret"
    assert found[1]


@pytest.mark.parametrize("name", ["environment.py", "src/keyboard.ts", "monkey.js", "gitignore.md", "a b/c.d", "é.py"])
def test_other_files_are_shown(name: str) -> None:
    assert refused(NameRules(), name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "a\\b",
        "C:x",
        "a\nb",
        "a/",
        ". ",
        "x\u2028y",
        "a/" * 70 + "b",
    ],
)
def test_what_is_no_relative_path_is_refused(name: str) -> None:
    assert refused(NameRules(), name) == ("file.name", None)


def test_ignore_files_exclude_what_lies_below_their_folder() -> None:
    rules = NameRules((), [("", ["# comment", "", "build/", "*.log", "!keep.log"]), ("sub", ["/x.py", "[z-a]"])])
    assert refused(rules, "build/out.js") == ("file.ignored", "build/")
    assert refused(rules, "deep/build/out.js") == ("file.ignored", "build/")
    assert refused(rules, "a.LOG") == ("file.ignored", "*.log")
    assert refused(rules, "keep.log") is None
    assert refused(rules, "sub/x.py") == ("file.ignored", "/x.py")
    assert refused(rules, "x.py") is None
    assert refused(rules, "subway/x.py") is None


def test_an_ignore_file_cannot_let_a_secret_through() -> None:
    assert refused(NameRules((), [("", ["!.env"])]), ".env") is not None


def test_an_allow_list_shows_only_what_it_names_and_still_no_secrets() -> None:
    rules = NameRules(("src/**", "README.md"))
    assert refused(rules, "src/a/b.py") is None
    assert refused(rules, "README.md") is None
    assert refused(rules, "tests/a.py") == ("file.not_allowed", "allow")
    assert refused(rules, "src/.env") is not None


def test_a_pattern_with_many_stars_takes_no_time_and_excludes_no_less() -> None:
    began = time.thread_time()
    rules = NameRules((), [("", ["*a*a*a*a*a*a*a*a*b", "!*a*a*a*a*a*a*c", "**/a/**/b/**/c/**/d"])])
    assert refused(rules, "a" * 390 + "c") is None
    assert refused(rules, "xaaaaaaaab") is not None
    assert refused(rules, "a/1/b/2/c/3/d") is not None
    assert time.thread_time() - began < 1.0


@pytest.mark.parametrize("pattern", ["", " ", "!src", "# no", "[z-a]", "*a*a*a*a*", "x" * 401, "a\nb"])
def test_an_allow_list_of_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        refuse_bad_patterns(("src/**", pattern))
