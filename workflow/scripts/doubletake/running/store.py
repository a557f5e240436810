"""A shared store of thoughts and activations, which are expensive to compute.

The environment variable `DOUBLETAKE_STORE` names its folder. Without this variable
nothing is stored. The key of an entry is a digest of everything that decides its
content. A job that finds an entry with its key takes it instead of computing it again,
also for another study or config, or on another machine.

An entry is a folder. It is written under a temporary name and renamed when it is
complete. It never changes. Files that are taken are compared with the digests in the
entry. An entry that is damaged or unreadable is not used. Errors of the store are
warnings in the log and never stop a job. Files are linked if the file system allows it,
and copied otherwise.
"""

import errno
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
from doubletake.running.files import ABANDONED, REFUSED, link_or_copy, replacing

logger = logging.getLogger("doubletake")

VARIABLE = "DOUBLETAKE_STORE"
CONTENTS = "contents.json"
"""The digests of an entry's files, by name."""
DRAFT = ".draft-"
"""First characters of the name of an entry that is being written."""


class _UnusableEntryError(Exception):
    """An entry is damaged, or cannot be read."""


@dataclass(frozen=True)
class Store:
    """A folder of entries; without a folder, nothing is stored."""

    folder: Path | None

    @classmethod
    def here(cls) -> "Store":
        """The store that the environment variable names."""
        folder = os.environ.get(VARIABLE)
        return cls(Path(folder) if folder else None)

    def fetch(self, kind: str, key: str, files: dict[str, Path]) -> bool:
        """Put the files of an entry at their targets: all files, or none.

        Args:
            kind: kind of the entry (`activations`).
            key: SHA-256 of everything that decides the content.
            files: target of each file, by its name in the entry.

        Returns:
            Whether there is an undamaged entry with these files.

        Raises:
            InputError: the disk of the targets accepts no more data.
        """
        if self.folder is None:
            return False
        entry = self.folder / kind / key
        digests = _digests_of(entry)
        if not files.keys() <= digests.keys():
            return False
        try:
            with ExitStack() as partials:
                for name, path in files.items():
                    partial = partials.enter_context(replacing(path))
                    _take(entry / name, partial, digests[name])
        except _UnusableEntryError as error:
            logger.warning("not taken from the store: %s: %s", entry, error)
            return False
        logger.info("taken from the store: %s", entry)
        return True

    def keep(self, kind: str, key: str, files: dict[str, Path]) -> None:
        """Add an entry, unless there already is an undamaged one."""
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
        """Paths of a file in all undamaged entries of a kind."""
        if self.folder is None:
            return
        for entry in sorted((self.folder / kind).glob("*")):
            if _is_whole(entry, {name}):
                yield entry / name


def _take(source: Path, target: Path, digest: str) -> None:
    """Link or copy a file of an entry, and compare it with its digest.

    A full disk at the target is not an error of the entry: to compute the file would
    only find the disk full later.
    """
    try:
        link_or_copy(source, target)
        whole = file_digest(target) == digest
    except OSError as error:
        if error.errno in REFUSED - {errno.EIO}:  # EIO may come from the source
            raise
        raise _UnusableEntryError(error) from error
    if not whole:
        raise _UnusableEntryError(f"{source.name} is damaged")


def _add(root: Path, entry: Path, files: dict[str, Path]) -> None:
    """Write an entry under a temporary name, then rename it in one step."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(root)
    with TemporaryDirectory(prefix=DRAFT, dir=root, ignore_cleanup_errors=True) as work:
        draft = Path(work, "new")
        draft.mkdir()
        for name, path in files.items():
            link_or_copy(path, draft / name)
        digests = {name: file_digest(draft / name) for name in files}
        (draft / CONTENTS).write_text(json.dumps(digests), encoding="utf-8")
        try:
            os.rename(draft, entry)
        except OSError:
            if _is_whole(entry, set(files)):
                return  # another job has added it first
            os.rename(entry, Path(work, "damaged"))
            os.rename(draft, entry)


def _remove_abandoned(root: Path) -> None:
    """Remove drafts of killed jobs, which have not changed for a long time."""
    for draft in root.glob(f"{DRAFT}*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > ABANDONED:
                shutil.rmtree(draft)


def _digests_of(entry: Path) -> dict[str, str]:
    """Digests of an entry's files, by name; empty if the entry does not exist."""
    try:
        digests = json.loads((entry / CONTENTS).read_text(encoding="utf-8"))
        return {name: str(digest) for name, digest in digests.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        logger.warning("not taken from the store: %s: %s", entry, error)
        return {}


def _is_whole(entry: Path, names: set[str]) -> bool:
    """Whether an entry holds these files, all undamaged."""
    digests = _digests_of(entry)
    try:
        return names <= digests.keys() and all(
            file_digest(entry / name) == digests[name] for name in names
        )
    except OSError as error:
        logger.warning("not taken from the store: %s: %s", entry, error)
        return False
