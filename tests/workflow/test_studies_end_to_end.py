"""Studies with other models, problems and traces, from the config to the report."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from reruns import planned
from transformers import LlamaConfig, LlamaForCausalLM

from doubletake.study.registry import experiments
from doubletake.study.study_tables import StudyTables
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES


def add_study(config: dict[str, Any], model: dict, dataset: dict) -> None:
    """Make new entries of model and dataset the only study, with one shard."""
    config["shards"] = 1
    config["studies"] = [{"model": "mine", "dataset": "theirs"}]
    config["models"]["mine"] = {"dtype": "float32", "device": "cpu", **model}
    config["datasets"]["theirs"] = dataset


def run(checkout, model: dict, dataset: dict, *targets: str) -> Path:
    """Run the study, or only some of its files; return the folder of its results."""
    checkout.configure(lambda config: add_study(config, model, dataset))
    study = checkout.study("mine/theirs")
    folder = study.relative_to(checkout.folder)
    result = checkout.run(*(str(folder / target) for target in targets))
    assert result.returncode == 0, result.stdout[-8000:]
    return study


def test_pocket_model_on_gsm8k(fresh, data_folder):
    study = run(
        fresh,
        {"source": "resources/pocket"},
        {"source": str(data_folder / "gsm8k/test.jsonl"), "limit": 16},
        "early_exit.parquet",
    )
    assert PROBLEMS.read(study / "problems.parquet").height == 16
    traces = TRACES.read(study / "traces.parquet")
    exits = EARLY_EXIT.read(study / "early_exit.parquet")
    assert set(exits.filter(exit=0)["trace"]) == set(traces["trace"])


def random_llama(folder: Path, tokenizer: Path) -> None:
    """Write a small random Llama with a real tokenizer."""
    for path in tokenizer.glob("*.json*"):
        shutil.copy(path, folder / path.name)
    vocabulary = json.loads((tokenizer / "tokenizer.json").read_text())
    top = max(
        max(vocabulary["model"]["vocab"].values()),
        max(token["id"] for token in vocabulary["added_tokens"]),
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=top + 1,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def for_random_weights(config: dict[str, Any]) -> None:
    """Keep every backtrack: none is predicted. Decode few tokens: no answer ends."""
    config["turns"]["predicted_only"] = False
    config["trial_points"]["max_tokens"] = 4
    config["steering"] |= {"screen_tokens": 3, "max_tokens": 40}


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("DeepSeek-R1-Distill-Llama-8B", []),
        ("DeepSeek-R1-Distill-Qwen", ["early_exit.parquet", "logit_lens.parquet"]),
    ],
)
def test_real_traces_and_tokenizers(fresh, data_folder, tmp_path, name, targets):
    tokenizers = os.environ.get("DOUBLETAKE_TOKENIZERS")
    if not tokenizers:
        pytest.skip("DOUBLETAKE_TOKENIZERS names no folder of real tokenizers")
    model = tmp_path / "model"
    model.mkdir()
    random_llama(model, Path(tokenizers) / name)
    rows = (data_folder / "r1_traces/gsm8k_test.jsonl").read_text().splitlines()
    thoughts = tmp_path / "thoughts.jsonl"
    thoughts.write_text("\n".join(rows[::145][:16]) + "\n")
    fresh.configure(for_random_weights)
    study = run(
        fresh,
        {"source": str(model)},
        {"source": str(thoughts), "thoughts": True},
        *targets,
    )
    traces = TRACES.read(study / "traces.parquet")
    assert traces.height == 16
    arrivals = EVENTS.read(study / "events.parquet").filter(kind="arrival")
    assert arrivals["trace"].n_unique() > 11
    assert EARLY_EXIT.read(study / "early_exit.parquet").height > 25
    assert (fresh.folder / "results/report.html").is_file() == (not targets)


def test_a_study_without_events_joins_the_report(rerun, tiny_model):
    row = {"question": "Tom has 12 pens. How many?", "gold": "12", "answer": "None."}
    thoughts = rerun.folder / "silent.jsonl"
    rows = [{"id": str(k), "thought": "Hm. Let me see.", **row} for k in range(6)]
    thoughts.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def another(config: dict[str, Any]) -> None:
        model = {"source": str(tiny_model), "dtype": "float32", "device": "cpu"}
        config["models"]["tiny"] = model
        config["datasets"]["silent"] = {"source": thoughts.name, "thoughts": True}
        config["studies"].append({"model": "tiny", "dataset": "silent"})

    rerun.configure(another)
    assert "generate_traces" not in planned(rerun)
    result = rerun.run()
    assert result.returncode == 0, result.stdout[-8000:]
    study = rerun.study("tiny/silent")
    assert TRACES.read(study / "traces.parquet").height == 6
    assert EVENTS.read(study / "events.parquet").filter(kind="arrival").height == 0
    assert EARLY_EXIT.read(study / "early_exit.parquet").height == 6
    page = (rerun.folder / "results/report.html").read_text().lower()
    assert "no arrival" in page
    for name in ("pocket on pocket-problems", "tiny on silent"):
        assert name in page
    check_comparisons(rerun.folder / "results/comparisons", rerun.study())


def check_comparisons(folder: Path, pocket: Path) -> None:
    """Columns hold the values that panels want, and all figures have their numbers."""
    tables, drawn = StudyTables(pocket), 0
    wanted: dict[tuple[str, str], int] = {}
    for experiment in experiments():
        numbers = pl.read_csv(folder / f"{experiment.name}.csv")
        assert (folder / f"{experiment.name}.svg").is_file()
        drawn += numbers.filter("drawn", study="pocket on pocket-problems").height
        for panel in experiment.comparison.panels:
            table = tables[panel.table]
            for column, value in panel.where.items():
                found = table.filter(pl.col(column).eq_missing(pl.lit(value))).height
                found += table.is_empty()
                key = panel.table, column
                wanted[key] = wanted.get(key, 0) + found
    assert [key for key, found in wanted.items() if not found] == []
    assert drawn > 100
