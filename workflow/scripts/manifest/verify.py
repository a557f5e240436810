"""Are results what their manifests say? `make verify RESULTS=results`.

Inputs
    folders: of studies, or above them; every manifest below is checked.

Outputs
    standard output: a line per study, a line per file that is missing or changed.
        Inputs that have changed since are errors too, for the results are not of these;
        inputs that are not here, as beside copied results, are only named.
"""

import argparse
import sys
from pathlib import Path

from doubletake.running.commands import command
from doubletake.running.digests import SCRIPTS
from doubletake.running.errors import InputError
from doubletake.running.foreign_text import visible
from doubletake.running.manifests import Manifest

WORKFLOW = SCRIPTS.parents[1]


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
    """Print what is wrong with the results of a manifest; whether nothing is."""
    try:
        manifest = Manifest.read(path)
    except InputError as error:
        print(visible(str(error)))
        return False
    complaints = list(manifest.complaints())
    changed = manifest.changed_inputs(WORKFLOW)
    absent = manifest.absent_inputs(WORKFLOW)
    for line in (*complaints, *changed):
        print(line)
    for name in absent:
        print(f"input not here, not compared: {name}")
    strangers = manifest.strangers()
    more = f", {len(strangers)} files not listed in it" if strangers else ""
    more += f", {len(changed)} inputs changed since" if changed else ""
    right = len(manifest.outputs) - len(complaints)
    print(f"{path.parent}: {right} of {len(manifest.outputs)} results as written{more}")
    return not complaints and not changed


def main(folders: list[Path]) -> int:
    """Verify all; the exit status."""
    return 0 if all([verify(path) for path in manifests_below(folders)]) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    with command():
        sys.exit(main(parser.parse_args().folders))
