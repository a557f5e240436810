"""Digests: of the shared code that a script runs, and of files."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
PACKAGE = "doubletake"


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(script: str, *tables: str) -> str:
    """Digest of the package modules that a script imports, directly or not.

    Snakemake reruns a rule when its script changes, not when a module that the script
    imports does. A rule that names this digest in its params reruns for both.

    Args:
        script: its name, without folder and suffix.
        tables: names of tables that it looks up by name, which no import shows.
    """
    seen: dict[str, bytes] = {}
    modules = {name.partition("/")[0] for name in tables}
    waiting = [SCRIPTS / f"{script}.py"]
    waiting += [SCRIPTS / PACKAGE / f"schemas/{name}.py" for name in sorted(modules)]
    for path in waiting[1:]:
        seen[f"{PACKAGE}.schemas.{path.stem}"] = path.read_bytes()
    while waiting:
        source = waiting.pop().read_bytes()
        for module in _imported_modules(source) - seen.keys():
            path = SCRIPTS / f"{module.replace('.', '/')}.py"
            if path.is_file():
                seen[module] = path.read_bytes()
                waiting.append(path)
    digest = hashlib.sha256()
    for module in sorted(seen):
        digest.update(module.encode() + b"\0" + seen[module])
    return digest.hexdigest()[:12]


@cache
def _imported_modules(source: bytes) -> frozenset[str]:
    """What this source imports from the package: modules, and names in them."""
    names: set[str] = set()
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found = {node.module} | {f"{node.module}.{n.name}" for n in node.names}
        elif isinstance(node, ast.Import):
            found = {alias.name for alias in node.names}
        else:
            continue
        names |= {name for name in found if name.split(".")[0] == PACKAGE}
    return frozenset(names)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements, however deep; what they compute holds no import."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            waiting.extend(getattr(node, part, ()))
