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
    trial_demand,
)

from doubletake.running.errors import InputError
from doubletake.study.config_schema import config_schema
from doubletake.study.config_shape import check_shape

CONFIGS = Path(__file__).parents[2] / "config"
PROBLEMS = {("openai/gsm8k", "test"): 1319}
"""Number of problems, by source and split."""
ITEMSIZE = {"bfloat16": 2, "float16": 2, "float32": 4}
STAGES = ("generation", "activations", "exits", "attribution")
PLANNED = (*STAGES, "trial points", "actions", "online exit")
"""The stages, and three that are not measured apart: they branch or decode likewise."""
CHECKED = ("exits", "attribution", "trial points")
"""Stages that compute a share of their work a second time, to verify themselves."""
LOADING = (
    "traces",
    "activations",
    "early_exit",
    "trial_points",
    "decoding_actions",
    "attribution",
    "attention",
    "wrong_samples",
    "resampling",
    "loop",
    "mistakes",
    "exact_attribution",
    *("steering", "steering"),
)
"""Stages of which every shard loads the model; steering does so to screen, too."""
LOADING_ONCE = (
    "value_vectors",
    "ablation",
    "online_exit",
    "directions",
    "injection",
    "faithfulness",
    "look_back",
    "repetition",
)
# ASSUME: bytes per second of loading weights from a local disk to the device.
LOADING_SPEED = 2e9
MODES = 2
"""Of `online_exit`: greedy and sampled."""
GIB = 2**30


@dataclass(frozen=True)
class Ceilings:
    """What a device can do at best."""

    flops: float
    """Operations per second in a large matrix product."""
    bandwidth: float
    """Bytes per second that are read and written."""


H100 = Ceilings(742e12, 3.02e12)
"""NVIDIA H100 80GB HBM3: a large product in bfloat16 and a large copy, as
`gpu_study.py` measured them."""
SHARES = {
    "generation": 0.40,
    "activations": 0.24,
    "exits": 0.08,
    "attribution": 0.27,
    # ASSUME: the last three compute and decode likewise; they were not measured.
    "trial points": 0.08,
    "actions": 0.40,
    "online exit": 0.40,
}
"""Shares of the ceilings that `gpu_study.py --traces 128` measured on this card."""


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
    trial_tokens: int
    acted: int
    """Thoughts that are decoded again with an action, counted for each action."""
    online: int
    """Thoughts that are decoded with exit rules, counted for each mode."""
    timed: int
    """Thoughts that are decoded one at a time."""
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
        check_shape(config, config_schema())
        if len(config["studies"]) != 1:
            raise InputError(f"{path}: studies: a plan is of one study")
        (study,) = config["studies"]
        model = config["models"][study["model"]]
        generation, problems = (
            config["generation"],
            _problems(config["datasets"][study["dataset"]], study["dataset"]),
        )
        thoughts = problems * generation["samples"]
        actions, online = config["decoding_actions"], config["online_exit"]
        drawn = thoughts if actions["thoughts"] is None else actions["thoughts"]
        return cls(
            source=model["source"],
            dtype=model["dtype"],
            problems=problems,
            samples=generation["samples"],
            longest=generation["max_new_tokens"],
            batch_size=generation["batch_size"],
            shards=config["shards"],
            batch_memory=config["batch_memory"],
            answer_tokens=config["early_exit"]["max_answer_tokens"],
            trial_tokens=config["trial_points"]["max_tokens"],
            acted=min(drawn, thoughts) * len(actions["actions"]),
            online=MODES * min(online["thoughts"], thoughts),
            timed=min(online["timed_thoughts"], online["thoughts"], thoughts),
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
                f"the shape of {self.source} is not known "
                f"(known: {', '.join(SHAPE_OF)})"
            )
        return Arithmetic(config_of(SHAPE_OF[self.source]), ITEMSIZE[self.dtype])

    @property
    def thoughts(self) -> int:
        """Number of thoughts."""
        return self.problems * self.samples

    def demand(self, stage: str, model: Arithmetic, batch_size: int) -> Demand:
        """Of one of the `PLANNED` stages on the whole study, without verification."""
        vocabulary = model.config.vocab_size
        if stage == "actions":
            again = synthetic_traces(self.acted, self.longest, vocabulary)
            return generation_demand(model, again, batch_size, self.shards)
        if stage == "online exit":
            together = synthetic_traces(self.online, self.longest, vocabulary)
            alone = synthetic_traces(self.timed, self.longest, vocabulary)
            batch = generation_demand(model, together, batch_size)
            return batch.with_decoding(generation_demand(model, alone, 1))
        traces = synthetic_traces(self.thoughts, self.longest, vocabulary)
        if stage == "generation":
            return generation_demand(model, traces, batch_size, self.shards)
        if stage == "exits":
            return exit_demand(model, traces, self.answer_tokens)
        if stage == "trial points":
            return trial_demand(model, traces, self.trial_tokens)
        return {"activations": activation_demand, "attribution": attribution_demand}[
            stage
        ](model, traces)

    def seconds(
        self, stage: str, demand: Demand, ceilings: Ceilings, share: float
    ) -> float:
        """Time of a stage on the whole study, with the most that it may verify."""
        again = self.checked if stage in CHECKED else 0
        return (1 + again) * seconds_needed(demand, ceilings, share)

    def loaded_bytes(self, model: Arithmetic) -> int:
        """Bytes of the weights that all jobs load."""
        jobs = len(LOADING) * self.shards + len(LOADING_ONCE)
        return jobs * model.weight_bytes

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
    """Time and memory on an H100, at shares of what it can do that were measured."""
    model = plan.arithmetic
    demands = {stage: plan.demand(stage, model, plan.batch_size) for stage in PLANNED}
    loaded = plan.loaded_bytes(model)
    times = {"loading": loaded / LOADING_SPEED}
    rows = [_row("loading", "-", "-", loaded, "-", times["loading"])]
    for stage, demand in demands.items():
        share = SHARES[stage]
        times[stage] = plan.seconds(stage, demand, H100, share)
        petaflop = f"{demand.flops / 1e15:.2f}"
        cells = (demand.tokens, petaflop, demand.bytes, f"{share:.0%}", times[stage])
        rows.append(_row(stage, *cells))
    weights = model.weight_bytes / GIB
    cache = plan.cache_bytes(model, plan.batch_size) / GIB
    return [
        f"{plan.thoughts} thoughts of {demands['generation'].tokens} tokens in all "
        f"(log-normal, median {MEDIAN}, 90% below {PERCENTILE_90}), {plan.dtype}",
        f"one NVIDIA H100 SXM: {H100.flops / 1e12:.0f} TFLOP/s, "
        f"{H100.bandwidth / 1e12:.2f} TB/s; shares of them are measured "
        "(assumed for the last three stages)",
        f"{'stage':<12} {'tokens':>8} {'PFLOP':>7} {'TB read':>8} {'share':>6} minutes",
        *rows,
        _row("total", "", "", "", "", sum(times.values())),
        f"memory: weights {weights:.1f} GiB; with the largest key-value cache "
        f"{weights + cache:.1f} GiB,",
        f"with a batch of {plan.batch_memory:g} GiB {weights + plan.batch_memory:.1f} "
        "GiB",
    ]


def _row(
    stage: str,
    tokens: int | str,
    petaflop: str,
    read: float | str | None,
    share: str,
    seconds: float,
) -> str:
    """A line of the table; `read` in bytes."""
    if not isinstance(read, str):
        read = "-" if read is None else f"{read / 1e12:.2f}"
    return (
        f"{stage:<12} {tokens:>8} {petaflop:>7} {read:>8} {share:>6} "
        f"{seconds / 60:>7.2f}"
    )
