"""What a manifest notices."""

import json

import pytest

from doubletake.errors import InputError
from doubletake.manifests import Manifest, build, entries
from doubletake.provenance import Provenance


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "results/m/d"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs/x.log").write_text("log")
    (folder / "deep").mkdir()
    (folder / "a.parquet").write_bytes(b"one")
    (folder / "deep/b.svg").write_bytes(b"two!")
    content = build(
        study={"model": "m", "dataset": "d"},
        config={"shards": 2},
        inputs={},
        outputs=entries([folder / "deep/b.svg", folder / "a.parquet"], folder),
        stages=[],
        rules=[],
        provenance=Provenance("c0ffee", {"python": "3"}, "a machine", "now"),
    )
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def manifest(folder) -> Manifest:
    return Manifest.read(folder / "manifest.json")


def test_untouched_results_give_no_complaint(folder):
    assert list(manifest(folder).outputs) == ["a.parquet", "deep/b.svg"]
    assert list(manifest(folder).complaints()) == []
    assert manifest(folder).strangers() == []
    assert manifest(folder).size == 7


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: (folder / "a.parquet").unlink(), "missing"),
        (lambda folder: (folder / "a.parquet").write_bytes(b"onX"), "another SHA-256"),
        (lambda folder: (folder / "a.parquet").write_bytes(b"on"), "2 bytes instead"),
    ],
)
def test_what_is_wrong_is_named(folder, spoil, complaint):
    spoil(folder)
    (found,) = manifest(folder).complaints()
    assert complaint in found
    assert str(folder / "a.parquet") in found


def test_files_that_are_not_listed_are_told(folder):
    (folder / "new.parquet").write_bytes(b"")
    assert manifest(folder).strangers() == ["new.parquet"]


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 0}'])
def test_a_file_that_is_no_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json"):
        manifest(folder)
