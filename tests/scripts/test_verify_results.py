"""`make verify`, as a user calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from doubletake.digests import SCRIPTS
from doubletake.manifests import FORMAT, entries


@pytest.fixture
def results(tmp_path) -> Path:
    for name in ("one", "two"):
        folder = tmp_path / "results/m" / name
        folder.mkdir(parents=True)
        (folder / "x.parquet").write_bytes(name.encode())
        content = {"format": FORMAT, "outputs": entries([folder / "x.parquet"], folder)}
        (folder / "manifest.json").write_text(json.dumps(content))
    return tmp_path / "results"


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / "verify_results.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_studies_below_a_folder_are_verified(results):
    found = verify(results)
    assert found.returncode == 0
    assert found.stdout.count("1 of 1 results as written") == 2


def test_a_changed_result_fails_and_the_rest_is_still_looked_at(results):
    (results / "m/one/x.parquet").write_bytes(b"onE")
    found = verify(results)
    assert found.returncode == 1
    assert f"changed: {results}/m/one/x.parquet" in found.stdout
    assert "0 of 1" in found.stdout
    assert "1 of 1" in found.stdout


def test_a_folder_without_manifest_is_refused(tmp_path):
    found = verify(tmp_path)
    assert found.returncode == 1
    assert "no manifest.json" in found.stderr
