"""Are results what their manifests say? `make verify RESULTS=results`.

Inputs
    folders: of studies, or above them; every manifest below is checked.

Outputs
    standard output: a line per study, a line per file that is missing or changed.
"""

import argparse
import sys
from pathlib import Path

from doubletake.commands import command
from doubletake.errors import InputError
from doubletake.manifests import Manifest


def manifests_below(folders: list[Path]) -> list[Path]:
    """Every manifest in or below these folders.

    Raises:
        InputError: a folder is not there or holds none.
    """
    found = []
    for folder in folders:
        below = sorted(folder.rglob("manifest.json"))
        if not below:
            raise InputError(f"no manifest.json in or below {folder}")
        found += below
    return found


def verify(path: Path) -> bool:
    """Print what is wrong with the results beside a manifest; whether nothing is."""
    manifest = Manifest.read(path)
    complaints = list(manifest.complaints())
    for complaint in complaints:
        print(complaint)
    strangers = manifest.strangers()
    more = f", {len(strangers)} files not listed in it" if strangers else ""
    right = len(manifest.outputs) - len(complaints)
    print(f"{path.parent}: {right} of {len(manifest.outputs)} results as written{more}")
    return not complaints


def main(folders: list[Path]) -> int:
    """Verify all; the exit status."""
    return 0 if all([verify(path) for path in manifests_below(folders)]) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    with command():
        sys.exit(main(parser.parse_args().folders))
