"""Which files the report reads."""

from pathlib import Path

import pytest
import yaml

from doubletake.page.report_files import study_files
from doubletake.studies import Sources

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["datasets"]["mine"] = {"source": "pyproject.toml", "thoughts": True}
    return config | {"shards": 3}


def files_of(config, dataset):
    study = {"model": "pocket", "dataset": dataset}
    return study_files(config, Sources((ROOT,)), study, f"results/pocket/{dataset}")


def test_generated_thoughts_have_a_run_per_shard(config):
    runs = files_of(config, "pocket-problems").runs
    folder = "results/pocket/pocket-problems"
    assert runs[:3] == [f"{folder}/traces/{k}-of-3.runs.parquet" for k in (1, 2, 3)]
    assert f"{folder}/early_exit/runs.parquet" in runs


def test_imported_thoughts_have_one_run_and_no_generation(config):
    files = files_of(config, "mine")
    assert [path for path in files.runs if "/traces/" in path] == [
        "results/pocket/mine/traces/1-of-1.runs.parquet"
    ]
    assert "generation" not in files.settings


def test_settings_are_those_of_the_model_and_tell_no_paths(config):
    config["models"]["pocket"]["answer_prompt"] = "</think> own"
    settings = files_of(config, "pocket-problems").settings
    assert settings["early_exit"]["answer_prompt"] == "</think> own"
    assert settings["early_exit"]["groups"] == config["early_exit"]["groups"]
    assert settings["events"]["labels"] == "resources/pocket/labelled_traces.jsonl"
    assert settings["model"]["source"] == "resources/pocket"
    assert str(ROOT) not in str(settings)


def test_every_study_brings_its_figures(config):
    studies = [files_of(config, name) for name in ("pocket-problems", "mine")]
    paths = [path for study in studies for path in study.outputs]
    assert len(paths) == len(set(paths)) > 0
    assert "results/pocket/mine/early_exit/accuracy.svg" in paths
