"""A manifest notices changed results and inputs."""

from pathlib import Path

import pytest

from doubletake.running.errors import InputError
from doubletake.running.manifests import (
    Manifest,
    file_entries,
    manifest_content,
    write_manifest,
)
from doubletake.running.provenance import Provenance


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "results/m/d"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs/x.log").write_text("log")
    (folder / "deep").mkdir()
    (folder / "a.parquet").write_bytes(b"one")
    (folder / "deep/b.svg").write_bytes(b"two!")
    words = tmp_path / "own/words.txt"
    words.parent.mkdir()
    words.write_bytes(b"the")
    content = manifest_content(
        study={"model": "m", "dataset": "d"},
        config={"shards": 2},
        inputs={
            "own/words.txt": file_entries([words], words.parent)["words.txt"],
            "owner/model": {"revision": "e" * 40},
        },
        outputs=file_entries([folder / "deep/b.svg", folder / "a.parquet"], folder),
        stages=[],
        rules=[],
        provenance=Provenance("c0ffee", {"python": "3"}, "a machine", "now"),
    )
    write_manifest(content, folder / "manifest.json")
    return folder


def manifest(folder) -> Manifest:
    return Manifest.read(folder / "manifest.json")


def test_unchanged_results_have_no_faults(folder):
    assert list(manifest(folder).outputs) == ["a.parquet", "deep/b.svg"]
    assert list(manifest(folder).wrong_outputs()) == []
    assert manifest(folder).unlisted_files() == []
    assert manifest(folder).size == 7


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda folder: (folder / "a.parquet").unlink(), "missing"),
        (lambda folder: (folder / "a.parquet").write_bytes(b"onX"), "another SHA-256"),
        (lambda folder: (folder / "a.parquet").write_bytes(b"on"), "2 bytes instead"),
    ],
)
def test_a_wrong_result_is_named(folder, spoil, fault):
    spoil(folder)
    (found,) = manifest(folder).wrong_outputs()
    assert fault in found
    assert str(folder / "a.parquet") in found


def test_unchanged_inputs_are_found_and_equal(folder):
    assert manifest(folder).changed_inputs(folder) == []
    assert manifest(folder).missing_inputs(folder) == []


@pytest.mark.parametrize(
    ("data", "fault"), [(b"thE", "another SHA-256"), (b"th", "2 bytes instead")]
)
def test_a_changed_input_is_named(folder, data, fault):
    words = folder.parents[2] / "own/words.txt"
    words.write_bytes(data)
    (found,) = manifest(folder).changed_inputs(folder)
    assert found.startswith(f"input changed since: {words} ")
    assert fault in found
    assert list(manifest(folder).wrong_outputs()) == []


def test_an_input_may_lie_beside_the_workflow_or_be_gone(folder, tmp_path):
    own = folder.parents[2] / "own"
    workflow = tmp_path / "workflow"
    workflow.mkdir()
    own.rename(workflow / "own")
    assert manifest(folder).missing_inputs(workflow) == []
    (workflow / "own/words.txt").write_bytes(b"thE")
    assert len(manifest(folder).changed_inputs(workflow)) == 1
    (workflow / "own/words.txt").unlink()
    assert manifest(folder).changed_inputs(workflow) == []
    assert manifest(folder).missing_inputs(workflow) == ["own/words.txt"]


def test_files_that_are_not_listed_are_named(folder):
    (folder / "new.parquet").write_bytes(b"")
    assert manifest(folder).unlisted_files() == ["new.parquet"]


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 0}'])
def test_a_file_that_is_no_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json"):
        manifest(folder)


def test_a_manifest_of_another_format_is_refused(folder):
    write_manifest({"format": 0}, folder / "manifest.json")
    with pytest.raises(InputError, match=r"manifest\.json: not a manifest of format"):
        manifest(folder)


@pytest.mark.parametrize("part", ["shards", "c0ffee", "a.parquet", "revision"])
def test_a_changed_byte_anywhere_in_the_manifest_is_noticed(folder, part):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace(part, part.swapcase()))
    with pytest.raises(InputError, match=r"manifest\.json is damaged .* delete it"):
        manifest(folder)


@pytest.mark.parametrize(
    ("results", "found"), [("results", True), ("out/today", True), ("../out", False)]
)
def test_inputs_are_found_wherever_the_results_lie(
    folder, tmp_path, monkeypatch, results, found
):
    ran_in = tmp_path / "ran in"
    ran_in.mkdir()
    (tmp_path / "own").rename(ran_in / "own")
    monkeypatch.chdir(ran_in)
    content = manifest(folder).content
    place = Path(results) / "m/d/manifest.json"
    place.parent.mkdir(parents=True)
    write_manifest(content, place)
    written = Manifest.read(place.absolute())
    assert str(tmp_path) not in place.read_text()
    assert written.missing_inputs(folder) == ([] if found else ["own/words.txt"])
    (ran_in / "own/words.txt").write_bytes(b"other")
    assert len(written.changed_inputs(folder)) == found


def test_an_input_in_the_home_of_a_user_is_found(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    content = manifest(folder).content
    inputs = {"~/words.txt": content["inputs"]["own/words.txt"]}
    write_manifest(content | {"inputs": inputs}, folder / "manifest.json")
    assert manifest(folder).missing_inputs(folder) == []
    monkeypatch.setenv("HOME", str(tmp_path))
    assert manifest(folder).missing_inputs(folder) == ["~/words.txt"]
