"""Digests: of the code that a script runs, and of files."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path(__file__).resolve().parents[2]
BLOCKS = ("body", "orelse", "finalbody")
"""Parts of a statement that hold statements."""


class _Code(NamedTuple):
    """What counts of a source file."""

    imports: frozenset[str]
    """What it may import of our code: modules, and names in them."""
    meaning: bytes
    """SHA-256 of its syntax tree."""


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(script: str, *modules: str) -> str:
    """Digest of what a script runs: itself and the modules that it imports.

    It stands in the params of every rule, so that a rule reruns for an edited module,
    which Snakemake does not see, and in the keys of what is kept for other runs. Syntax
    trees are digested: comments, docstrings and layout do not count. Another minor
    version of Python may write another tree for the same code, hence another digest;
    what was kept is then computed anew.

    Args:
        script: its path among the scripts, without suffix (`early_exit/measure`).
        modules: what it looks up by name, which no import shows (`early_exit.tables`).

    Raises:
        FileNotFoundError: there is no such script or module.
    """
    names = [script, *(name.replace(".", "/") for name in modules)]
    waiting = [SCRIPTS / f"{name}.py" for name in names]
    known: set[str] = set()
    meanings: dict[str, bytes] = {}
    while waiting:
        path = waiting.pop()
        code = _code(path.read_bytes())
        meanings[path.relative_to(SCRIPTS).as_posix()] = code.meaning
        new = code.imports - known
        known |= new
        waiting += filter(None, map(_path, new))
    digest = hashlib.sha256()
    for name in sorted(meanings):
        digest.update(name.encode() + b"\0" + meanings[name])
    return digest.hexdigest()[:12]


def _path(module: str) -> Path | None:
    """File of a module or package; None for any other name."""
    place = SCRIPTS / module.replace(".", "/")
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next(filter(Path.is_file, files), None)


@cache
def _code(source: bytes) -> _Code:
    """What counts of a source, parsed once however many scripts import it.

    Raises:
        ValueError: it has a relative import, which is not followed.
    """
    tree = ast.parse(source)
    imports: set[str] = set()
    for node in _statements_without_words(tree):
        imports |= _imported(node)
    dump = ast.dump(tree).encode("utf-8", "surrogatepass")
    return _Code(frozenset(imports), hashlib.sha256(dump).digest())


def _imported(node: ast.AST) -> set[str]:
    """Names that a statement imports from our code, with the packages around."""
    if isinstance(node, ast.ImportFrom):
        if node.level or node.module is None:
            raise ValueError(f"line {node.lineno}: a relative import, write it in full")
        names = {node.module} | {f"{node.module}.{n.name}" for n in node.names}
    elif isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    else:
        return set()
    parts = [name.split(".") for name in names]
    return {
        ".".join(part[:end])
        for part in parts
        if (SCRIPTS / part[0]).is_dir()
        for end in range(1, len(part) + 1)
    }


def _statements_without_words(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements, however deep; what they compute holds no import.

    Statements that are only a string are taken out of the tree: docstrings of modules,
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


def _is_string(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
