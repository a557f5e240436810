"""A shared store of what is dear to compute, addressed by content.

Where the environment names a folder (`DOUBLETAKE_STORE`), thoughts and activations are
put there under a key of everything that decides them, and taken from there by any
study, config, user or machine that comes to the same key. Without it nothing is stored.

Entries are folders that appear in one step and are never changed: of two writers the
first stays, and only a damaged entry is replaced. What is fetched is compared with the
noted digests; an entry that is damaged, half seen or gone counts as none. Files are
linked where the file system allows it, copied elsewhere. Whoever may write into the
store's folder may add: what is made in it gets that folder's permissions.
"""

import errno
import json
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.running.files import (
    ABANDONED,
    REFUSED,
    link_or_copy,
    replacing,
    write_whole,
)

logger = logging.getLogger("doubletake")

VARIABLE = "DOUBLETAKE_STORE"
CONTENTS = "contents.json"
DRAFT = ".draft-"
TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
"""What a rename says when there is something already."""


class _NotThereError(Exception):
    """An entry is damaged, or was gone before all of it was taken."""


@dataclass(frozen=True)
class Store:
    """A folder of entries, or none."""

    folder: Path | None

    @classmethod
    def here(cls) -> "Store":
        """As the environment says."""
        named = os.environ.get(VARIABLE)
        return cls(Path(named) if named else None)

    def fetch(self, kind: str, key: str, files: dict[str, Path]) -> bool:
        """Put an entry's files where they are wanted, all of them or none.

        Args:
            kind: what it holds (`activations`).
            key: SHA-256 of all that decides it.
            files: where to put each file, by its name in the entry.

        Returns:
            Whether there is an undamaged entry that holds them.

        Raises:
            InputError: the disk takes no more.
        """
        if self.folder is None:
            return False
        entry = self.folder / kind / key
        digests = _noted(entry)
        if not files.keys() <= digests.keys():
            return False
        try:
            with ExitStack() as partials:
                for name, path in files.items():
                    partial = partials.enter_context(replacing(path))
                    _take(entry / name, partial, digests[name])
        except _NotThereError as error:
            logger.warning("not taken from the store: %s: %s", entry, error)
            return False
        logger.info("taken from the store: %s", entry)
        return True

    def keep(self, kind: str, key: str, files: dict[str, Path]) -> None:
        """Add an entry; the first to come stays.

        A store that cannot be written is said in the log and stops nothing.
        """
        if self.folder is None:
            return
        entry = self.folder / kind / key
        if _is_whole(entry, set(files)):
            return
        try:
            _add(self.folder, entry, files)
        except (OSError, InputError) as error:
            logger.warning("not stored in %s: %s", entry, error)

    def entries(self, kind: str, name: str) -> Iterator[Path]:
        """A file of every whole entry of a kind."""
        if self.folder is None:
            return
        for entry in sorted((self.folder / kind).glob("[!.]*")):
            if _is_whole(entry, {name}):
                yield entry / name


def _add(root: Path, entry: Path, files: dict[str, Path]) -> None:
    mode = _open_like(root, entry.parent)
    _remove_left_over(root)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=entry.parent))
    try:
        for name, path in files.items():
            _put(path, draft / name, mode & 0o444)
        digests = {name: file_digest(draft / name) for name in files}
        write_whole(draft / CONTENTS, json.dumps(digests).encode())
        (draft / CONTENTS).chmod(mode & 0o644)
        draft.chmod(mode)
        _publish(draft, entry, set(files))
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(draft: Path, entry: Path, names: set[str]) -> None:
    """Give a draft its name, unless there is a whole entry of this name."""
    if _renamed(draft, entry) or _is_whole(entry, names):
        return
    aside = draft.with_name(f"{draft.name}-damaged")
    with suppress(FileNotFoundError):  # another writer sets it aside
        os.rename(entry, aside)
    _renamed(draft, entry)  # or another writer was first
    shutil.rmtree(aside, ignore_errors=True)


def _renamed(draft: Path, entry: Path) -> bool:
    """Rename a draft; False if there is something of this name."""
    try:
        os.rename(draft, entry)
    except OSError as error:
        if error.errno not in TAKEN:
            raise
        return False
    return True


def _open_like(root: Path, folder: Path) -> int:
    """Make a folder of the store, as open to others as the store's own folder.

    Returns:
        The permissions of that.
    """
    root.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(root.stat().st_mode)
    path = root
    for part in folder.relative_to(root).parts:
        path /= part
        path.mkdir(exist_ok=True)
        with suppress(PermissionError):  # another user's
            path.chmod(mode)
    return mode


def _remove_left_over(root: Path) -> None:
    """Remove drafts that nobody has written into for long, of whatever machine."""
    for folder, names, _ in os.walk(root):
        drafts = [name for name in names if name.startswith(DRAFT)]
        names[:] = [name for name in names if name not in drafts]
        for draft in drafts:
            path = Path(folder, draft)
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    shutil.rmtree(path, ignore_errors=True)


def _noted(entry: Path) -> dict[str, str]:
    """Digests of an entry's files, by name; none if there is no such entry."""
    try:
        digests = json.loads((entry / CONTENTS).read_text(encoding="utf-8"))
        return {name: str(digest) for name, digest in digests.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        logger.warning("%s is damaged and not used: %s", entry, error)
        return {}


def _is_whole(entry: Path, names: set[str]) -> bool:
    """Whether an entry holds these files, undamaged."""
    digests = _noted(entry)
    try:
        return names <= digests.keys() and all(
            file_digest(entry / name) == digests[name] for name in names
        )
    except FileNotFoundError:
        return False
    except OSError as error:
        logger.warning("%s is damaged and not used: %s", entry, error)
        return False


def _take(source: Path, partial: Path, digest: str) -> None:
    """Link or copy a file out of the store, and compare what has come.

    Raises:
        _NotThereError: it is gone, or is not the file that was noted.
    """
    try:
        link_or_copy(source, partial)
        whole = file_digest(partial) == digest
    except OSError as error:
        if error.errno in REFUSED - {errno.EIO}:  # that is said of reading, too
            raise
        raise _NotThereError(error) from error
    if not whole:
        raise _NotThereError(f"{source.name} is damaged")


def _put(source: Path, target: Path, readable: int) -> None:
    """Link or copy a file into the store, where so many must be able to read it.

    A file that is not so open is copied: a link would open the study's own file too.
    """
    with replacing(target) as partial:
        if source.stat().st_mode & readable == readable:
            link_or_copy(source, partial)
        else:
            shutil.copyfile(source, partial)
            partial.chmod(readable | 0o200)
