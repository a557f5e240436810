"""Time and memory of a study on one GPU, by calculation from its config."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from llama_arithmetic import SHAPE_OF, Arithmetic, config_of
from snakemake.utils import update_config
from synthetic_study import (
    MEDIAN,
    PERCENTILE_90,
    PROMPT,
    Demand,
    activation_demand,
    attribution_demand,
    exit_demand,
    generation_demand,
    synthetic_traces,
)

from doubletake.running.errors import InputError
from doubletake.study.config_schema import check_shape

CONFIGS = Path(__file__).parents[2] / "config"
PROBLEMS = {("openai/gsm8k", "test"): 1319}
"""Number of problems, by source and split."""
ITEMSIZE = {"bfloat16": 2, "float16": 2, "float32": 4}
STAGES = ("generation", "activations", "exits", "attribution")
CHECKED = ("exits", "attribution")
"""Stages that compute a share of their work a second time, to verify themselves."""
GIB = 2**30


@dataclass(frozen=True)
class Ceilings:
    """What a device can do at best."""

    flops: float
    """Operations per second in a large matrix product."""
    bandwidth: float
    """Bytes per second that are read and written."""


H100 = Ceilings(989e12, 3.35e12)
"""NVIDIA H100 SXM, data sheet: dense products in bfloat16, memory."""
# ASSUME: shares of the data sheet's numbers, chosen by hand and not measured.
ASSUMED_SHARES = {
    "generation": 0.2,
    "activations": 0.4,
    "exits": 0.2,
    "attribution": 0.3,
}


def used_share(demand: Demand, seconds: float, ceilings: Ceilings) -> float:
    """Share of the ceiling that limits a stage: bandwidth or matrix products."""
    return seconds_needed(demand, ceilings, share=1) / seconds


def seconds_needed(demand: Demand, ceilings: Ceilings, share: float) -> float:
    """Time of a stage that uses this share of its ceiling."""
    if demand.bytes is not None:
        return demand.bytes / ceilings.bandwidth / share
    return demand.flops / ceilings.flops / share


@dataclass(frozen=True)
class StudyPlan:
    """The numbers of a config that decide what the model computes."""

    source: str
    dtype: str
    problems: int
    samples: int
    longest: int
    """Longest completion, in tokens."""
    batch_size: int
    shards: int
    batch_memory: float
    """GiB"""
    answer_tokens: int
    checked: float
    """Largest share of its work that a stage computes a second time."""

    @classmethod
    def of(cls, path: Path) -> "StudyPlan":
        """Read a config of one study, as Snakemake does: on top of config.yaml.

        Raises:
            InputError: the config breaks the schema, has several studies, or does not
                tell the number of problems.
        """
        config: dict[str, Any] = {}
        for part in (CONFIGS / "config.yaml", path):
            update_config(config, yaml.safe_load(part.read_text(encoding="utf-8")))
        check_shape(config)
        if len(config["studies"]) != 1:
            raise InputError(f"{path}: studies: a plan is of one study")
        (study,) = config["studies"]
        model = config["models"][study["model"]]
        generation = config["generation"]
        return cls(
            source=model["source"],
            dtype=model["dtype"],
            problems=_problems(config["datasets"][study["dataset"]], study["dataset"]),
            samples=generation["samples"],
            longest=generation["max_new_tokens"],
            batch_size=generation["batch_size"],
            shards=config["shards"],
            batch_memory=config["batch_memory"],
            answer_tokens=config["early_exit"]["max_answer_tokens"],
            checked=config["verification"]["share"],
        )

    @property
    def arithmetic(self) -> Arithmetic:
        """Of the study's model.

        Raises:
            InputError: the shape of the model is not known.
        """
        if self.source not in SHAPE_OF:
            raise InputError(
                f"the shape of {self.source} is not known (known: {', '.join(SHAPE_OF)})"
            )
        return Arithmetic(config_of(SHAPE_OF[self.source]), ITEMSIZE[self.dtype])

    @property
    def thoughts(self) -> int:
        """Number of thoughts."""
        return self.problems * self.samples

    def demands(self, model: Arithmetic, batch_size: int) -> dict[str, Demand]:
        """Of every stage on the whole study, without verification."""
        traces = synthetic_traces(self.thoughts, self.longest, model.config.vocab_size)
        return {
            "generation": generation_demand(model, traces, batch_size, self.shards),
            "activations": activation_demand(model, traces),
            "exits": exit_demand(model, traces, self.answer_tokens),
            "attribution": attribution_demand(model, traces),
        }

    def seconds(
        self, stage: str, demand: Demand, ceilings: Ceilings, share: float
    ) -> float:
        """Time of a stage on the whole study, with the most that it may verify."""
        again = self.checked if stage in CHECKED else 0
        return (1 + again) * seconds_needed(demand, ceilings, share)

    def cache_bytes(self, model: Arithmetic, batch_size: int) -> int:
        """Largest key-value cache of generation: all rows as long as the longest."""
        rows = min(batch_size, -(-self.thoughts // self.shards))
        return rows * (PROMPT + self.longest) * model.cache_bytes


def _problems(dataset: dict[str, Any], name: str) -> int:
    """Number of problems of a dataset of the config."""
    limit = dataset.get("limit")
    size = PROBLEMS.get((dataset["source"], dataset.get("split", "test")))
    counts = [count for count in (limit, size) if count is not None]
    if not counts:
        raise InputError(f"datasets.{name}.limit: a plan needs the number of problems")
    return min(counts)


def plan_lines(plan: StudyPlan) -> list[str]:
    """Time and memory on an H100, at assumed shares of what it can do at best."""
    model = plan.arithmetic
    demands = plan.demands(model, plan.batch_size)
    lines = [
        f"{plan.thoughts} thoughts of {demands['generation'].tokens} tokens in all "
        f"(log-normal, median {MEDIAN}, 90% below {PERCENTILE_90}), {plan.dtype}",
        f"one NVIDIA H100 SXM: {H100.flops / 1e12:.0f} TFLOP/s, "
        f"{H100.bandwidth / 1e12:.2f} TB/s; shares of them are assumed",
        "stage           tokens     PFLOP  TB read  share  minutes",
    ]
    total = 0.0
    for stage in STAGES:
        demand, share = demands[stage], ASSUMED_SHARES[stage]
        seconds = plan.seconds(stage, demand, H100, share)
        total += seconds
        read = "-" if demand.bytes is None else f"{demand.bytes / 1e12:.1f}"
        lines.append(
            f"{stage:<12} {demand.tokens:>9} {demand.flops / 1e15:>9.2f} {read:>8} "
            f"{share:>6.0%} {seconds / 60:>8.1f}"
        )
    weights = model.weight_bytes / GIB
    cache = plan.cache_bytes(model, plan.batch_size) / GIB
    return [
        *lines,
        f"{'total':<45} {total / 60:>11.1f}",
        f"memory: weights {weights:.1f} GiB; with the largest key-value cache "
        f"{weights + cache:.1f} GiB; with a batch {weights + plan.batch_memory:.1f} GiB",
    ]
