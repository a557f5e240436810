"""What it costs to add an experiment: a folder, a rule file, tests, and a few edits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from new_experiment import EDITS, FILES, NAME, add
from reruns import planned

EDITED_AT_MOST = 5


def test_few_existing_files_are_edited_by_hand():
    assert len({*EDITS, "CHANGELOG.md"}) <= EDITED_AT_MOST
    folders = {str(Path(name).parent) for name in FILES}
    assert folders == {f"workflow/scripts/{NAME}", "rules", f"tests/{NAME}"}


def test_it_is_found_and_only_it_is_computed(rerun):
    add(rerun.folder)
    computed = [f"measure_{NAME}", f"plot_{NAME}"]
    assert planned(rerun, NAME) == sorted([NAME, *computed])
    # These know the tables of all stages.
    readers = ["plot_overview", "write_explorer", "write_manifest", "write_report"]
    assert planned(rerun) == sorted([*computed, *readers])
    lint = rerun.ask("--lint")
    assert lint.returncode == 0, lint.stdout
    result = rerun.run()
    assert result.returncode == 0, result.stdout[-4000:]
    made = {f"{NAME}.parquet", f"{NAME}/accuracy.svg"}
    manifest = json.loads((rerun.study() / "manifest.json").read_text())
    assert made <= set(manifest["outputs"])
    assert manifest["config"][NAME] == {"parts": 4}
    page = (rerun.folder / "results/report.html").read_text()
    assert f'id="pocket/pocket-problems/{NAME}"' in page
    assert "Of the longest 3 thoughts, " in page
    assert "Share of right answers in parts of equal counts" in page


def test_a_wrong_key_of_its_section_is_refused(rerun):
    add(rerun.folder)
    rerun.configure(lambda config: config[NAME].update(parts=1))
    assert f"{NAME}.parts: 1 is less than the minimum" in rerun.ask("-n").stdout


DOCUMENTS = """
import documents
changed = {name for name in documents.PARTS if documents.written(name)
           != (documents.ROOT / name).read_text(encoding="utf-8")}
print(*sorted(changed))
"""


def test_its_tests_pass_and_the_documents_name_it(fresh, tmp_path):
    """As `make documents` and `make test` would find it in the repository."""
    copied = Path(__file__).parents[1]
    for name in ("checkouts", "starts", "documents", "pocket_documents"):
        (fresh.folder / f"tests/{name}.py").parent.mkdir(exist_ok=True)
        (fresh.folder / f"tests/{name}.py").write_bytes(
            (copied / f"{name}.py").read_bytes()
        )
    root = copied.parent
    for name in ("README.md", "CONTRIBUTING.md", "config/README.md", "docs"):
        target = fresh.folder / name
        target.unlink(missing_ok=True)
        target.symlink_to(root / name)
    add(fresh.folder)
    paths = [str(fresh.folder / name) for name in ("workflow/scripts", "tests")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-c", DOCUMENTS],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {
        "CONTRIBUTING.md",
        "README.md",
        "config/README.md",
        "docs/modules.md",
        "docs/tables.md",
    }
    test = fresh.folder / f"tests/{NAME}/test_measure.py"
    command = [sys.executable, "-m", "pytest", "-q", test, "--rootdir", tmp_path]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
