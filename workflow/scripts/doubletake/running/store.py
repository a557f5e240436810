"""A shared store of thoughts and activations, which are expensive to compute.

The environment variable `DOUBLETAKE_STORE` names its folder; without it nothing is
stored. An entry has a key, made of everything that decides its content. Every study,
config or machine that comes to the same key takes the entry instead of computing it.

An entry is a folder that appears in one step and is not changed afterwards. What is
taken is compared with digests in the entry. An entry that is damaged, or cannot be
read, is not used. The store never stops a job: what goes wrong with it is a warning.
Files are linked where the file system allows it, copied elsewhere.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.files import ABANDONED, link_or_copy, replacing

logger = logging.getLogger("doubletake")

VARIABLE = "DOUBLETAKE_STORE"
CONTENTS = "contents.json"
"""The digests of an entry's files, by name."""
DRAFT = ".draft-"
"""Beginning of the names of entries that are being written."""


@dataclass(frozen=True)
class Store:
    """A folder of entries; None: no store."""

    folder: Path | None

    @classmethod
    def here(cls) -> "Store":
        """As the environment says."""
        named = os.environ.get(VARIABLE)
        return cls(Path(named) if named else None)

    def fetch(self, kind: str, key: str, files: dict[str, Path]) -> bool:
        """Put an entry's files where they are wanted, either all or no file.

        Args:
            kind: what it holds (`activations`).
            key: SHA-256 of all that decides it.
            files: where to put each file, by its name in the entry.

        Returns:
            Whether there is an undamaged entry that holds them.
        """
        if self.folder is None:
            return False
        entry = self.folder / kind / key
        noted = _noted(entry)
        if not files.keys() <= noted.keys():
            return False
        try:
            with ExitStack() as partials:
                for name, path in files.items():
                    partial = partials.enter_context(replacing(path))
                    link_or_copy(entry / name, partial)
                    if file_digest(partial) != noted[name]:
                        raise InputError(f"{name} is damaged")
        except (OSError, InputError) as error:
            logger.warning("not taken from the store: %s: %s", entry, error)
            return False
        logger.info("taken from the store: %s", entry)
        return True

    def keep(self, kind: str, key: str, files: dict[str, Path]) -> None:
        """Add an entry, unless there is an undamaged one already."""
        if self.folder is None:
            return
        entry = self.folder / kind / key
        if _is_whole(entry, set(files)):
            return
        try:
            _add(self.folder, entry, files)
        except OSError as error:
            logger.warning("not stored: %s: %s", entry, error)

    def entries(self, kind: str, name: str) -> Iterator[Path]:
        """A file of every undamaged entry of a kind."""
        if self.folder is None:
            return
        for entry in sorted((self.folder / kind).glob("*")):
            if _is_whole(entry, {name}):
                yield entry / name


def _add(root: Path, entry: Path, files: dict[str, Path]) -> None:
    """Write an entry beside the others, then give it its name in one step."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(root)
    with TemporaryDirectory(prefix=DRAFT, dir=root, ignore_cleanup_errors=True) as made:
        draft = Path(made, "new")
        draft.mkdir()
        for name, path in files.items():
            link_or_copy(path, draft / name)
        digests = {name: file_digest(draft / name) for name in files}
        (draft / CONTENTS).write_text(json.dumps(digests), encoding="utf-8")
        try:
            os.rename(draft, entry)
        except OSError:
            if _is_whole(entry, set(files)):
                return  # another job was first
            os.rename(entry, Path(made, "damaged"))
            os.rename(draft, entry)


def _remove_abandoned(root: Path) -> None:
    """Remove drafts of killed jobs: nobody has written into them for long."""
    for draft in root.glob(f"{DRAFT}*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > ABANDONED:
                shutil.rmtree(draft)


def _noted(entry: Path) -> dict[str, str]:
    """Digests of an entry's files, by name; empty if there is no such entry."""
    try:
        digests = json.loads((entry / CONTENTS).read_text(encoding="utf-8"))
        return {name: str(digest) for name, digest in digests.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        logger.warning("not taken from the store: %s: %s", entry, error)
        return {}


def _is_whole(entry: Path, names: set[str]) -> bool:
    """Whether an entry holds these files, undamaged."""
    noted = _noted(entry)
    try:
        return names <= noted.keys() and all(
            file_digest(entry / name) == noted[name] for name in names
        )
    except OSError as error:
        logger.warning("not taken from the store: %s: %s", entry, error)
        return False
