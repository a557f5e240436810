"""A shared store of what is dear to compute, addressed by content.

Where the environment names a folder (`DOUBLETAKE_STORE`), thoughts and activations are
put there under a key of everything that decides them, and taken from there by any
study, config, user or machine that comes to the same key. Without it nothing is stored.

Entries are folders that appear in one step and are never changed; a file whose digest
is not the noted one is not used. Files are linked where the file system allows it,
copied elsewhere.
"""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doubletake.digests import file_digest
from doubletake.errors import InputError
from doubletake.files import replacing

logger = logging.getLogger("doubletake")

VARIABLE = "DOUBLETAKE_STORE"
CONTENTS = "contents.json"


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
        """Put an entry's files where they are wanted; False if there is none.

        Args:
            kind: what it holds (`activations`).
            key: SHA-256 of all that decides it.
            files: where to put each file, by its name in the entry.
        """
        if self.folder is None:
            return False
        entry = self.folder / kind / key
        if not _is_whole(entry, set(files)):
            return False
        for name, path in files.items():
            _place(entry / name, path)
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
            _add(entry, files)
        except (OSError, InputError) as error:
            logger.warning("not stored in %s: %s", entry, error)

    def entries(self, kind: str, name: str) -> Iterator[Path]:
        """A file of every whole entry of a kind."""
        if self.folder is None:
            return
        for entry in sorted((self.folder / kind).glob("*")):
            if _is_whole(entry, {name}):
                yield entry / name


def _add(entry: Path, files: dict[str, Path]) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=entry.parent))
    try:
        for name, path in files.items():
            _place(path, draft / name)
        digests = {name: file_digest(draft / name) for name in files}
        (draft / CONTENTS).write_text(json.dumps(digests))
        draft.chmod(0o755)
        if entry.exists():  # damaged, or another writer was first
            shutil.rmtree(entry, ignore_errors=True)
        os.rename(draft, entry)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _is_whole(entry: Path, names: set[str]) -> bool:
    """Whether an entry holds these files, undamaged."""
    try:
        digests = json.loads((entry / CONTENTS).read_text(encoding="utf-8"))
        return all(file_digest(entry / name) == digests[name] for name in names)
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s is damaged and not used: %s", entry, error)
        return False


def _place(source: Path, target: Path) -> None:
    """Link or copy a file under a temporary name, then rename."""
    with replacing(target) as partial:
        try:
            os.link(source, partial)
        except OSError:
            shutil.copyfile(source, partial)
