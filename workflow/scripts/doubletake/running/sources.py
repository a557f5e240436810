"""Sources of Python: the digest of their syntax trees, and what they import.

A tree is parsed once. What is known of it is kept beside the bytecode of its file, and
used only for the same bytes.
"""

import ast
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

DOCUMENTING = {"meaning", "unit", "holds"}
"""Arguments of tables and columns that only document them."""
BLOCKS = ("body", "orelse", "finalbody")
"""Fields of a statement that hold other statements."""


class Source(NamedTuple):
    """The parts of a source file that a digest depends on."""

    imports: frozenset[str]
    """Modules that it may import, with the packages around them and names inside."""
    tree_digest: bytes
    """SHA-256 of its syntax tree."""


READER = hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).digest()
"""What reads sources: another one may find something else in the same source."""


def source(path: Path) -> Source:
    """The relevant parts of a source file.

    Raises:
        ValueError: the source has a relative import, which is not followed.
    """
    data = path.read_bytes()
    key = hashlib.sha256(READER + data).hexdigest()
    place = Path(cache_from_source(str(path))).with_suffix(".source")
    with suppress(OSError):
        if found := _unsealed(key, place.read_bytes()):
            return found
    found = _parsed(data)
    if not sys.dont_write_bytecode:
        _keep(place, _sealed(key, found))
    return found


def _keep(place: Path, data: bytes) -> None:
    """Write a file if it can be written; a read-only folder or a full disk may be."""
    partial = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(data)
            partial.replace(place)
        except OSError:
            partial.unlink()


def _sealed(key: str, found: Source) -> bytes:
    """The bytes that are kept: a digest of all of them, then key, tree and imports."""
    lines = [key, found.tree_digest.hex(), *sorted(found.imports)]
    text = "\n".join(lines).encode()
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


def _unsealed(key: str, kept: bytes) -> Source | None:
    """What `_sealed` has written; None if it is damaged, or of another source."""
    seal, _, text = kept.partition(b"\n")
    if seal != hashlib.sha256(text).hexdigest().encode():
        return None
    of, tree_digest, *imports = text.decode().split("\n")
    return Source(frozenset(imports), bytes.fromhex(tree_digest)) if of == key else None


def _parsed(data: bytes) -> Source:
    tree = ast.parse(data)
    imports: set[str] = set()
    for node in _statements_without_docstrings(tree):
        imports |= _imported(node)
    if b"Column(" in data:
        _remove_meanings(tree)
    dump = ast.dump(tree).encode("utf-8", "surrogatepass")
    return Source(frozenset(imports), hashlib.sha256(dump).digest())


def _imported(node: ast.AST) -> set[str]:
    """Names that a statement imports, with their packages."""
    if isinstance(node, ast.ImportFrom):
        if node.level or node.module is None:
            raise ValueError(f"line {node.lineno}: relative import; write it in full")
        names = {node.module} | {f"{node.module}.{n.name}" for n in node.names}
    elif isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    else:
        return set()
    parts = [name.split(".") for name in names]
    return {".".join(part[:end]) for part in parts for end in range(1, len(part) + 1)}


def _statements_without_docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements of a tree, at any depth. Expressions hold no imports.

    Statements that are only a string are removed from the tree: docstrings of modules,
    classes, functions and fields.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in BLOCKS:
            if block := getattr(node, part, None):
                kept = [statement for statement in block if not _is_string(statement)]
                setattr(node, part, kept)
                waiting += kept
        for part in ("handlers", "cases"):
            waiting += getattr(node, part, ())


def _remove_meanings(tree: ast.AST) -> None:
    """Remove the texts of tables and columns, which document data and do not make them.

    A `Column` has its meaning as third argument; `unit` and `holds` are keywords.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "Column":
                del node.args[2:3]
            if node.func.id in ("Column", "Table"):
                node.keywords = [k for k in node.keywords if k.arg not in DOCUMENTING]


def _is_string(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
