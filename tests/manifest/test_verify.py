"""`make verify`, called as by a user."""

import subprocess
import sys
from pathlib import Path

import pytest

from doubletake.running.digests import SCRIPTS
from doubletake.running.manifests import FORMAT, file_entries, write_manifest


@pytest.fixture
def results(tmp_path) -> Path:
    (tmp_path / "own.txt").write_text("own")
    for name in ("one", "two"):
        folder = tmp_path / "results/m" / name
        folder.mkdir(parents=True)
        (folder / "x.parquet").write_bytes(name.encode())
        content = {
            "format": FORMAT,
            "config": {"seed": 0},
            "inputs": file_entries([tmp_path / "own.txt"], tmp_path),
            "outputs": file_entries([folder / "x.parquet"], folder),
        }
        write_manifest(content, folder / "manifest.json")
    return tmp_path / "results"


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / "manifest/verify.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_studies_below_a_folder_are_verified(results):
    found = verify(results)
    assert found.returncode == 0
    assert found.stdout.count("1 of 1 results as written") == 2


def test_a_changed_result_fails_and_other_studies_are_still_checked(results):
    (results / "m/one/x.parquet").write_bytes(b"onE")
    found = verify(results)
    assert found.returncode == 1
    assert f"changed: {results}/m/one/x.parquet" in found.stdout
    assert "0 of 1" in found.stdout
    assert "1 of 1" in found.stdout


def test_a_changed_input_fails_though_the_results_are_as_written(results):
    (results.parent / "own.txt").write_text("owN")
    found = verify(results)
    assert found.returncode == 1
    changed = f"input changed since: {results.parent}/own.txt (another SHA-256)"
    assert found.stdout.count(changed) == 2
    assert found.stdout.count("1 of 1 results as written") == 2


def test_results_without_their_inputs_are_right(results):
    (results.parent / "own.txt").unlink()
    found = verify(results)
    assert found.returncode == 0
    assert found.stdout.count("input not here, not compared: own.txt") == 2


def test_a_damaged_manifest_fails_and_other_studies_are_still_checked(results):
    path = results / "m/one/manifest.json"
    path.write_text(path.read_text().replace('"seed":0', '"seed":1'))
    found = verify(results)
    assert found.returncode == 1
    assert f"{path} is damaged" in found.stdout
    assert "delete it and run again" in found.stdout
    assert found.stdout.count("1 of 1 results as written") == 1


def test_a_folder_without_manifest_is_refused(tmp_path):
    found = verify(tmp_path)
    assert found.returncode == 1
    assert "no manifest.json" in found.stderr
