"""The result files of a study."""

from pathlib import Path

import pytest
import yaml

from doubletake.study.outputs import study_files
from doubletake.study.registry import experiments, stages, tables
from doubletake.study.settings import Sources

ROOT = Path(__file__).parents[3]
ELSEWHERE = (
    *("detector/scores", "detector/mistakes"),
    *("exit_transfer/transfer", "reproduction/reproduction"),
)
"""Tables that belong to no study."""
OF_A_STUDY = [name for name in tables() if name not in ELSEWHERE and "*" not in name]


@pytest.fixture
def config():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["datasets"]["mine"] = {"source": "pyproject.toml", "thoughts": True}
    return config | {"shards": 3}


def files_of(config, dataset):
    study = {"model": "pocket", "dataset": dataset}
    return study_files(config, Sources((ROOT,)), study)


def test_every_stage_that_leaves_runs_has_one_table_of_them(config):
    files = files_of(config, "pocket-problems")
    folder = "results/pocket/pocket-problems"
    assert files.runs[0] == f"{folder}/traces/runs.parquet"
    assert f"{folder}/early_exit/runs.parquet" in files.runs
    assert set(files.runs + files.verification) <= set(files.outputs)


def test_imported_thoughts_have_no_generation(config):
    assert "generation" not in files_of(config, "mine").settings
    assert "generation" in files_of(config, "pocket-problems").settings


def test_settings_are_those_of_the_model_and_show_no_paths(config):
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
    assert "results/pocket/mine/activations/3-of-3.safetensors" in paths


@pytest.mark.parametrize("table", OF_A_STUDY)
def test_every_table_is_a_result_of_its_study(config, table):
    outputs = files_of(config, "pocket-problems").outputs
    assert f"results/pocket/pocket-problems/{table}.parquet" in outputs


def test_declarations_differ_in_order_and_files():
    orders = [stage.order for stage in stages()]
    assert len(set(orders)) == len(orders)
    for stage in stages():
        files = stage.files(["1-of-1"])
        assert len(files) == len(set(files))
        folders = {name.partition("/")[0].partition(".")[0] for name in files}
        assert folders == {stage.name}


@pytest.mark.parametrize("experiment", experiments(), ids=lambda found: found.name)
def test_an_experiment_says_what_its_figures_show(experiment):
    assert experiment.figures
    for figure in experiment.figures:
        assert figure.caption.endswith(".")


def test_a_file_of_problems_is_shown_as_the_config_names_it(config):
    config["datasets"]["mine"]["problems"] = "resources/pocket/problems.jsonl"
    shown = files_of(config, "mine").settings["dataset"]
    assert shown["problems"] == "resources/pocket/problems.jsonl"
    assert str(ROOT) not in str(shown)
