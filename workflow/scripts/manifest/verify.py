"""Compares results with their manifests: `make verify RESULTS=results`.

Inputs
    folders: folders of studies, or folders above them. Every manifest below is checked.

Outputs
    standard output: a line per study, and a line per missing or changed file. A changed
        input is an error too, because the results were made from another file. A
        missing input is only named: copied results have no inputs beside them.
"""

import argparse
import sys
from pathlib import Path

from doubletake.running.commands import command
from doubletake.running.digests import SCRIPTS
from doubletake.running.errors import InputError
from doubletake.running.manifests import Manifest
from doubletake.running.visible_text import visible

WORKFLOW = SCRIPTS.parents[1]


def manifests_below(folders: list[Path]) -> list[Path]:
    """All manifests in or below these folders.

    Raises:
        InputError: a folder does not exist or holds no manifest.
    """
    paths = []
    for folder in folders:
        below = sorted(folder.rglob("manifest.json"))
        if not below:
            raise InputError(f"no manifest.json in or below {folder}")
        paths += below
    return paths


def verify(path: Path) -> bool:
    """Print the faults of a manifest's results; return whether there are no faults."""
    try:
        manifest = Manifest.read(path)
    except InputError as error:
        print(visible(str(error)))
        return False
    faults = list(manifest.wrong_outputs())
    changed = manifest.changed_inputs(WORKFLOW)
    for line in (*faults, *changed):
        print(line)
    for name in manifest.missing_inputs(WORKFLOW):
        print(f"input not here, not compared: {name}")
    unlisted = manifest.unlisted_files()
    note = f", {len(unlisted)} files not in the manifest" if unlisted else ""
    note += f", {len(changed)} inputs changed since" if changed else ""
    right = len(manifest.outputs) - len(faults)
    print(f"{path.parent}: {right} of {len(manifest.outputs)} results as written{note}")
    return not faults and not changed


def main(folders: list[Path]) -> int:
    """Verify all manifests; return the exit status."""
    return 0 if all([verify(path) for path in manifests_below(folders)]) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    with command():
        sys.exit(main(parser.parse_args().folders))
