"""Who imports whom: no circles, and rooms know of each other their contracts only."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
SHARED = "doubletake"
CONTRACT = {"tables", "reading"}
"""Modules of a room that other rooms may import."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)


MODULES = {
    module_name(path): path
    for path in sorted(SCRIPTS.rglob("*.py"))
    if path.name != "__init__.py"
}


def imported_by(module: str) -> set[str]:
    """Modules of ours that it imports anywhere, for type checkers too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & MODULES.keys()


GRAPH = {module: imported_by(module) for module in MODULES}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def shared_modules_reached_from(module: str) -> set[str]:
    """By the module itself, other modules of its room and shared ones."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        near = {
            name
            for name in GRAPH[waiting.pop()]
            if room_of(name) in (SHARED, room_of(module))
        }
        waiting += near - seen
        seen |= near
    return {name for name in seen if room_of(name) == SHARED}


def test_no_module_imports_itself_by_way_of_others():
    TopologicalSorter(GRAPH).prepare()  # its error names the circle


def test_a_room_imports_of_another_its_contract_only():
    strange = [
        f"{module} imports {name}"
        for module, names in GRAPH.items()
        for name in names
        if room_of(module) != SHARED
        and room_of(name) not in (SHARED, room_of(module))
        and name.rpartition(".")[2] not in CONTRACT
    ]
    assert strange == []


def test_no_shared_module_is_used_by_one_room_only():
    rooms: dict[str, set[str]] = {}
    for module in MODULES:
        if room_of(module) != SHARED:
            for name in shared_modules_reached_from(module):
                rooms.setdefault(name, set()).add(room_of(module))
    lonely = {name: found for name, found in rooms.items() if len(found) == 1}
    assert lonely == {}
