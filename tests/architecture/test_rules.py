"""The house's rules, kept by linters and by reading the source: they fail like any other test."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("hivesync_core", "projections", "adapters", "shared", "deploy")
_PURE = ("hivesync_core", "shared")
# The clock, chance and files come from outside; a rule that reads them itself cannot be replayed.
_IMPURE_CALLS = {
    "datetime.now", "datetime.utcnow", "date.today", "time.time", "time.monotonic", "time.sleep",
    "uuid.uuid4", "uuid4", "uuid7", "random.random", "open",
}  # fmt: skip
_PURE_EXCEPT = ("hivesync_core/eventstore",)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _contract(kind: str) -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    found: dict[str, list[str]] = next(contract for contract in contracts if contract["type"] == kind)
    return found


def _sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_imports_point_one_way() -> None:
    ran = _run(_program("lint-imports"), "--no-cache")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_source_is_free_of_what_ruff_finds() -> None:
    ran = _run(_program("ruff"), "check", "--no-cache", "--output-format", "concise", ".")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_read_model_is_in_the_contract_that_keeps_them_apart() -> None:
    folders = {f"projections.{path.parent.name}" for path in (ROOT / "projections").glob("*/__init__.py")}
    assert folders - {"projections.engine"} == set(_contract("independence")["modules"])


def test_every_feature_is_in_the_contract_that_keeps_it_pure() -> None:
    features = {f"hivesync_core.{path.parent.name}" for path in (ROOT / "hivesync_core").glob("*/__init__.py")}
    assert (features - {"hivesync_core.eventstore"}) | {"shared"} == set(_contract("forbidden")["source_modules"])


def test_rules_read_no_clock_no_chance_and_no_file() -> None:
    found = [
        f"{path}:{node.lineno} {ast.unparse(node.func)}"
        for path, tree in _sources(*_PURE)
        if not path.startswith(_PURE_EXCEPT)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _IMPURE_CALLS
    ]
    assert found == []


def test_every_module_opens_with_what_it_is_for() -> None:
    assert [path for path, tree in _sources(*PACKAGES, "tests") if not ast.get_docstring(tree)] == []


def test_every_package_folder_can_be_imported() -> None:
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    clients = ROOT / "adapters" / "clients"
    assert [
        str(folder.relative_to(ROOT))
        for folder in sorted(folders)
        if clients not in folder.parents and not (folder / "__init__.py").exists()
    ] == []
