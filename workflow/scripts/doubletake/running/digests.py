"""SHA-256 digests of files, and of the code that a script runs."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

SCRIPTS = Path(__file__).resolve().parents[2]
DOCUMENTING = {"meaning", "unit", "holds"}
"""Arguments of tables and columns that only document them."""
BLOCKS = ("body", "orelse", "finalbody")
"""Fields of a statement that hold other statements."""


class _Code(NamedTuple):
    """The parts of a source file that a digest depends on."""

    imports: frozenset[str]
    """Modules of this workflow that it may import, and names inside them."""
    tree_digest: bytes
    """SHA-256 of its syntax tree."""


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(script: str, *modules: str) -> str:
    """Digest of the code of a script and of all modules that it imports.

    It is in the params of every rule, so that a rule reruns after an edit of a module,
    which Snakemake does not notice. It is also in the keys of results that are kept for
    other runs. Syntax trees are digested, so comments, docstrings and layout do not
    count. Another minor version of Python may give another tree, and so another digest,
    for the same code. Kept results are then computed again.

    Args:
        script: path below the scripts' folder, without suffix (`early_exit/measure`).
        modules: modules that the script imports by name at run time
            (`early_exit.tables`).

    Raises:
        FileNotFoundError: a script or module does not exist.
    """
    names = [script, *(name.replace(".", "/") for name in modules)]
    waiting = [SCRIPTS / f"{name}.py" for name in names]
    imported: set[str] = set()
    digests: dict[str, bytes] = {}
    while waiting:
        path = waiting.pop()
        code = _code(path.read_bytes())
        digests[path.relative_to(SCRIPTS).as_posix()] = code.tree_digest
        new = code.imports - imported
        imported |= new
        waiting += filter(None, map(_path, new))
    digest = hashlib.sha256()
    for name in sorted(digests):
        digest.update(name.encode() + b"\0" + digests[name])
    return digest.hexdigest()[:12]


def _path(module: str) -> Path | None:
    """File of a module or package of this workflow; None for any other name."""
    stem = SCRIPTS / module.replace(".", "/")
    files = (stem.with_suffix(".py"), stem / "__init__.py")
    return next(filter(Path.is_file, files), None)


@cache
def _code(source: bytes) -> _Code:
    """The relevant parts of a source. Each source is parsed once per process.

    Raises:
        ValueError: the source has a relative import, which is not followed.
    """
    tree = ast.parse(source)
    imports: set[str] = set()
    for node in _statements_without_docstrings(tree):
        imports |= _imported(node)
    if b"Column(" in source:
        _remove_meanings(tree)
    dump = ast.dump(tree).encode("utf-8", "surrogatepass")
    return _Code(frozenset(imports), hashlib.sha256(dump).digest())


def _imported(node: ast.AST) -> set[str]:
    """Names that a statement imports from this workflow, with their packages."""
    if isinstance(node, ast.ImportFrom):
        if node.level or node.module is None:
            raise ValueError(f"line {node.lineno}: relative import; write it in full")
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
