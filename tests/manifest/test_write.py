"""Writing a manifest from a study's files."""

import json

import pytest
from tiny_report import HERE, SETTINGS, Study

from doubletake.running.digests import file_digest
from doubletake.running.manifests import Manifest
from manifest.write import main

LOCAL = {"source": "own/thoughts.jsonl", "revision": None}
MODEL = ["config.json", "model.safetensors", "tokenizer.json"]


@pytest.fixture
def written(tmp_path):
    def write(study: Study, *, local_dataset: bool) -> Manifest:
        for name in (*MODEL, "thoughts.jsonl", "stop.txt", "published.json"):
            (tmp_path / name).write_text(name)
        main(
            files=study.write(tmp_path),
            model_paths=[tmp_path / name for name in MODEL],
            dataset_paths={LOCAL["source"]: tmp_path / "thoughts.jsonl"}
            if local_dataset
            else {},
            named_paths={
                "own/stop.txt": tmp_path / "stop.txt",
                "resources/reference/published.json": tmp_path / "published.json",
            },
            manifest_path=tmp_path / "data/manifest.json",
            provenance=HERE,
        )
        return Manifest.read(tmp_path / "data/manifest.json")

    return write


def test_every_input_is_named_as_the_config_names_it(written, tmp_path):
    study = Study()
    study.settings = SETTINGS | {"dataset": LOCAL}
    inputs = written(study, local_dataset=True).content["inputs"]
    assert set(inputs) == {
        *(f"resources/pocket/{name}" for name in MODEL),
        "own/thoughts.jsonl",
        "own/stop.txt",
        "resources/reference/published.json",
    }
    assert inputs["own/stop.txt"]["sha256"] == file_digest(tmp_path / "stop.txt")
    assert str(tmp_path) not in json.dumps(inputs)


def test_an_input_of_the_hub_is_named_by_its_revision(written):
    inputs = written(Study(), local_dataset=False).content["inputs"]
    assert inputs["owner/data"] == {"revision": "e" * 40}


def test_every_result_is_listed_with_its_digest(written, tmp_path):
    manifest = written(Study(), local_dataset=False)
    path = tmp_path / "data/early_exit/summary.parquet"
    known = {"sha256": file_digest(path), "bytes": path.stat().st_size}
    assert manifest.outputs["early_exit/summary.parquet"] == known
    assert list(manifest.wrong_outputs()) == []
