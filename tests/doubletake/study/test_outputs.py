"""Which files the report reads."""

from pathlib import Path

import pytest
import yaml

from doubletake.study.experiments import EXPERIMENTS
from doubletake.study.outputs import study_files
from doubletake.study.settings import Sources
from doubletake.tables.table import every_table

ROOT = Path(__file__).parents[3]
ELSEWHERE = ("detector/scores", "detector/mistakes")
"""Tables that belong to no study."""
EACH_STAGE = ("runs", "verification")
"""Tables that every stage has in its own folder."""
TABLES = [
    table.name for table in every_table() if table.name not in (*ELSEWHERE, *EACH_STAGE)
]


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


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_a_result_of_its_study(config, table):
    outputs = files_of(config, "pocket-problems").outputs
    assert f"results/pocket/pocket-problems/{table}.parquet" in outputs


@pytest.mark.parametrize("section", EXPERIMENTS, ids=lambda section: section.name)
def test_an_experiment_leaves_its_tables_checks_and_figures(section):
    own = [name for name in TABLES if name.partition("/")[0] == section.name]
    own += [f"{section.name}/{name}" for name in EACH_STAGE]
    wanted = {f"{name}.parquet" for name in own}
    wanted |= {f"{section.name}/{figure.name}.svg" for figure in section.figures}
    assert wanted <= set(section.outputs)
    assert len(section.outputs) == len(set(section.outputs))
