"""SHA-256 digests of files, and of the code that a script runs."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from doubletake.running.sources import Source, source

SCRIPTS = Path(__file__).resolve().parents[2]


class _Module(NamedTuple):
    """A file of this workflow."""

    file: str
    """Its path below the scripts' folder."""
    source: Source


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
                digests[module.file] = module.source.tree_digest
                waiting |= module.source.imports - seen
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
            return _Module(path.relative_to(SCRIPTS).as_posix(), source(path))
    return None
