"""Adding an experiment needs a folder, a rule file, its tests and a few edits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from new_experiment import BY_COMMAND, EDITS, FILES, NAME, add
from reruns import planned

EDITED_AT_MOST = 5


def test_few_files_that_are_there_already_are_edited():
    by_hand = {*EDITS, "CHANGELOG.md"}
    assert len(by_hand | {"README.md"}) <= EDITED_AT_MOST
    assert "README.md" in BY_COMMAND
    rooms = {str(Path(name).parent) for name in FILES}
    assert rooms == {f"workflow/scripts/{NAME}", "rules", f"tests/{NAME}"}


def test_it_is_found_and_only_it_is_computed(rerun):
    add(rerun.folder)
    computed = [f"measure_{NAME}", f"plot_{NAME}"]
    assert planned(rerun, NAME) == sorted([NAME, *computed])
    assert planned(rerun) == sorted([*computed, "write_manifest", "write_report"])
    result = rerun.run()
    assert result.returncode == 0, result.stdout[-4000:]
    made = {f"{NAME}.parquet", f"{NAME}/accuracy.svg"}
    manifest = json.loads((rerun.study() / "manifest.json").read_text())
    assert made <= set(manifest["outputs"])
    assert manifest["config"][NAME] == {"parts": 4}
    page = (rerun.folder / "results/report.html").read_text()
    assert f'id="pocket/pocket-problems/{NAME}"' in page
    assert "Of the longest 3 thoughts, " in page
    assert "Share right, by quarter." in page


def test_a_wrong_key_of_its_section_is_refused(rerun):
    add(rerun.folder)
    rerun.configure(lambda config: config[NAME].update(parts=1))
    assert f"{NAME}.parts: 1 is less than the minimum" in rerun.run("-n").stdout


def test_its_own_test_runs(tmp_path, fresh):
    add(fresh.folder)
    path = fresh.folder / f"tests/{NAME}/test_measure.py"
    environment = os.environ | {"PYTHONPATH": str(fresh.folder / "workflow/scripts")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        str(path),
        "--rootdir",
        str(tmp_path),
    ]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
