"""A finished run with small tables, for the tests of published claims."""

from typing import Any

import polars as pl
import yaml
from checkouts import ROOT

from doubletake.study.registry import tables
from doubletake.study.settings import value_of
from reproduction.other_run import PUBLISHED_RECIPE
from reproduction.published import References
from reproduction.run import Run

REFERENCE = ROOT / "resources/reference"
PATHS = {
    "published_path": REFERENCE / "published.yaml",
    "exits_path": REFERENCE / "early_exit_published.json",
    "attribution_path": REFERENCE / "attribution_published.json",
}
REFERENCES = References.read(*PATHS.values())
THEIRS = {
    "model": {"source": "deepseek-ai/DeepSeek-R1-Distill-Llama-8B"},
    "dataset": {"source": "openai/gsm8k", "thoughts": False},
}
"""Model and problems of the published work."""
VALUES = {pl.String: "", pl.Boolean: False, pl.Int32: 0, pl.Float64: 0.0}


def settings(*, published: bool = False, **sections: Any) -> dict[str, Any]:
    """The default config, by our recipe or by the published one."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    own = {
        "model": {"source": "resources/pocket"},
        "dataset": {"source": "resources/pocket/problems.jsonl", "thoughts": False},
    }
    if published:
        for key, value in PUBLISHED_RECIPE.items():
            section, _, name = key.rpartition(".")
            value_of(config, section)[name] = value
    return config | own | sections


def row(name: str, **values: Any) -> dict[str, Any]:
    """A row of a table, zeros and empty texts where no value is given."""
    filled = {
        column.name: None if column.nullable else VALUES.get(column.dtype, [])
        for column in tables()[name].columns
    }
    for column in tables()[name].columns:
        if column.values and filled[column.name] is not None:
            filled[column.name] = column.values[0]
    assert values.keys() <= filled.keys(), name
    return filled | values


def run_with(
    *, published: bool = False, sections: dict[str, Any] | None = None, **rows: Any
) -> Run:
    """A run with the rows of tables; `__` in a name stands for `/`."""
    named = {name.replace("__", "/"): part for name, part in rows.items()}
    frames = {
        name: tables()[name].frame([row(name, **one) for one in part])
        for name, part in named.items()
    }
    return Run(frames, settings(published=published, **sections or {}), published)


def exits_of(thoughts: list[list[tuple[float, bool]]]) -> dict[str, list[dict]]:
    """Tables `early_exit` and `traces` of thoughts, given as (logit, right) by exit."""
    return {
        "early_exit": [
            {"trace": f"{k}/0", "exit": number, "logit": logit, "correct": right}
            for k, thought in enumerate(thoughts)
            for number, (logit, right) in enumerate(thought)
        ],
        "traces": [
            {"trace": f"{k}/0", "problem": f"{k}"} for k in range(len(thoughts))
        ],
    }
