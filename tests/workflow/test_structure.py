"""The structure of the code: who may import whom, and how large files may be."""

import ast
import statistics
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from checkouts import ROOT

SCRIPTS = ROOT / "workflow/scripts"
PACKAGE = "doubletake"
OFFERED = {"tables", "reading"}
"""Modules of a stage that other stages may import."""
FILES = sorted(path for path in SCRIPTS.rglob("*.py"))
LONGEST_FUNCTION, MEDIAN_FILE, LONGEST_RULES, TOP_MODULES = 60, 130, 180, 10


def module_of(path: Path) -> str:
    parts = path.relative_to(SCRIPTS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}
ROOMS = sorted({name.partition(".")[0] for name in MODULES} - {PACKAGE})


@cache
def imports_of(module: str) -> frozenset[str]:
    """Modules of this repository that a module imports, anywhere in its code."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{name.name}" for name in node.names}
            found |= (full & MODULES.keys()) or ({node.module} & MODULES.keys())
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names} & MODULES.keys()
    return frozenset(found)


@cache
def reached_from(module: str) -> frozenset[str]:
    """All modules that an import of one module loads, directly or indirectly."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = imports_of(waiting.pop()) - found
        found |= new
        waiting += new
    return frozenset(found)


def test_imports_form_no_circle():
    sorter = TopologicalSorter({name: imports_of(name) for name in MODULES})
    assert len(list(sorter.static_order())) == len(MODULES)


@pytest.mark.parametrize("room", ROOMS)
def test_a_stage_imports_of_others_only_what_they_offer(room):
    for module in MODULES:
        if module.startswith(f"{room}."):
            for name in imports_of(module):
                other, _, part = name.partition(".")
                assert other in (room, PACKAGE) or part in OFFERED, (module, name)


def test_what_is_shared_imports_no_stage():
    for module in MODULES:
        if module.partition(".")[0] == PACKAGE:
            outside = {n for n in imports_of(module) if n.partition(".")[0] != PACKAGE}
            assert not outside, module


def test_what_is_shared_serves_more_than_one_stage():
    users: dict[str, set[str]] = {}
    for module in MODULES:
        room = module.partition(".")[0]
        if room != PACKAGE:
            for name in reached_from(module):
                users.setdefault(name, set()).add(room)
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for module in MODULES:
        shared = module.startswith(f"{PACKAGE}.") and module.count(".") == 2
        if shared:
            used = users.get(module, set())
            assert len(used) > 1 or f"from {module} import" in rules, (module, used)


def test_few_modules_lie_directly_in_the_package():
    assert len(list((SCRIPTS / PACKAGE).glob("*.py"))) <= TOP_MODULES


def test_files_and_functions_are_short():
    lengths = {path: len(path.read_text().splitlines()) for path in FILES}
    assert statistics.median(lengths.values()) <= MEDIAN_FILE
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                assert lines <= LONGEST_FUNCTION, (path, node.name)
    for path in (ROOT / "rules").glob("*.smk"):
        assert len(path.read_text().splitlines()) <= LONGEST_RULES, path


def test_no_folder_is_called_like_an_installed_package():
    from importlib.metadata import packages_distributions

    assert not {*ROOMS, PACKAGE} & packages_distributions().keys()


def test_every_stage_says_what_it_is():
    for room in (*ROOMS, PACKAGE):
        assert ast.get_docstring(ast.parse(MODULES[room].read_text())), room
