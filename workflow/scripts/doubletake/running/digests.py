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
    """Modules that it may import, with the packages around them and names inside."""
    tree_digest: bytes
    """SHA-256 of its syntax tree."""


class _Module(NamedTuple):
    """A file of this workflow."""

    file: str
    """Its path below the scripts' folder."""
    code: _Code


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(script: str, *modules: str) -> str:
    """Digest of the code of a script, of files as they are now: see `Digests.of`."""
    return Digests().of(script, *modules)


class Digests:
    """Digests of scripts, of files as they are when the first digest needs them.

    Every file is read and parsed once, however many scripts import it.
    """

    def __init__(self) -> None:
        """Read nothing yet."""
        self._modules: dict[str, _Module | None] = {}
        self._digests: dict[tuple[str, ...], str] = {}
        self._ours = {path.stem for path in SCRIPTS.iterdir()}

    def of(self, script: str, *modules: str) -> str:
        """Digest of the code of a script and of all modules that it imports.

        It is in the params of every rule, so that a rule reruns after an edit of a
        module, which Snakemake does not notice. It is also in the keys of results that
        are kept for other runs. Syntax trees are digested, so comments, docstrings and
        layout do not count. Another minor version of Python may give another tree, and
        so another digest, for the same code. Kept results are then computed again.

        Args:
            script: path below the scripts' folder, without suffix
                (`early_exit/measure`).
            modules: modules that the script imports by name at run time
                (`early_exit.tables`).

        Raises:
            FileNotFoundError: a script or module does not exist.
        """
        names = script, *modules
        if names not in self._digests:
            self._digests[names] = self._joined(names)
        return self._digests[names]

    def _joined(self, names: tuple[str, ...]) -> str:
        waiting = {name.replace("/", ".") for name in names}
        for name in waiting:
            if self._module(name) is None:
                raise FileNotFoundError(f"{SCRIPTS} has no script or module {name}")
        seen = set(waiting)
        digests: dict[str, bytes] = {}
        while waiting:
            if module := self._module(waiting.pop()):
                digests[module.file] = module.code.tree_digest
                waiting |= module.code.imports - seen
                seen |= waiting
        digest = hashlib.sha256()
        for name in sorted(digests):
            digest.update(name.encode() + b"\0" + digests[name])
        return digest.hexdigest()[:12]

    def _module(self, name: str) -> _Module | None:
        """A module or package of this workflow; None for any other name."""
        if name not in self._modules:
            ours = name.partition(".")[0] in self._ours
            self._modules[name] = _read(name) if ours else None
        return self._modules[name]


def _read(name: str) -> _Module | None:
    """Read and parse a module or package; None if there is no such file."""
    stem = SCRIPTS / name.replace(".", "/")
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            code = _code(path.read_bytes())
            return _Module(path.relative_to(SCRIPTS).as_posix(), code)
    return None


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
