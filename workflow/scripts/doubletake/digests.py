"""Digests: of the shared code that a script runs, and of files."""

import ast
import hashlib
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
PACKAGE = "doubletake"


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(script: str) -> str:
    """Digest of the package modules that a script imports, directly or not.

    Snakemake reruns a rule when its script changes, not when a module that the script
    imports does. A rule that names this digest in its params reruns for both.
    """
    seen: dict[str, bytes] = {}
    waiting = [SCRIPTS / f"{script}.py"]
    while waiting:
        source = waiting.pop().read_bytes()
        for module in _imported_modules(source):
            path = SCRIPTS / PACKAGE / f"{module}.py"
            if module not in seen and path.is_file():
                seen[module] = path.read_bytes()
                waiting.append(path)
    digest = hashlib.sha256()
    for module in sorted(seen):
        digest.update(module.encode() + b"\0" + seen[module])
    return digest.hexdigest()[:12]


def _imported_modules(source: bytes) -> set[str]:
    """Names of the package's modules that this source imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            head, _, module = node.module.partition(".")
            if head == PACKAGE:
                names |= {module} if module else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            parts = [alias.name.split(".") for alias in node.names]
            names |= {part[1] for part in parts if part[0] == PACKAGE and len(part) > 1}
    return names
