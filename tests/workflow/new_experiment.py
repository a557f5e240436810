"""The small experiment of `tests/new_experiment/`, and its edits in existing files."""

import shutil
from pathlib import Path

NAME = "length"
FOLDER = Path(__file__).parents[1] / "new_experiment"
FILES = sorted(
    str(path.relative_to(FOLDER))
    for path in FOLDER.rglob("*")
    if path.is_file() and path.suffix != ".pyc"
)
EDITS = {
    "Snakefile": (
        'include: "rules/attention.smk"\n',
        'include: "rules/attention.smk"\ninclude: "rules/length.smk"\n',
    ),
    "config/config.yaml": ("report:\n", "length:\n  parts: 4\n\nreport:\n"),
}
"""Edits by hand, beside a line in CHANGELOG.md: a text and what replaces it."""


def add(folder: Path) -> None:
    """Add the files and the edits to a copy of the repository."""
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert not (folder / name).exists()
        shutil.copy2(FOLDER / name, folder / name)
    for name, (old, new) in EDITS.items():
        path = folder / name
        text = path.read_text()
        assert text.count(old) == 1, name
        path.write_text(text.replace(old, new))
