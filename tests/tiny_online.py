"""A small study of the pocket model, ready to be decoded with every rule."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from checkouts import ROOT

from doubletake.exit_rules.splits import problem_groups, training_group
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from exit_policies.tables import LYNX_CALIBRATION
from exit_probes.reading import PointProbe, write_probes
from exit_probes.tables import EXIT_PROBE_SCORES, RULES
from online_exit import measure
from online_exit.tables import LATENCY, LATENCY_RULES, ONLINE_EXIT, ONLINE_RULES
from problems.tables import PROBLEMS
from traces.generate import Settings as GenerationSettings
from traces.generate import main as generate_main
from trial_points.measure import Settings as PointSettings
from trial_points.measure import main as points_main
from trial_points.reading import PointStates, model_origin, states_origin
from trial_points.tables import TRIAL_POINTS

GENERATION: dict[str, Any] = {
    "backend": "transformers",
    "samples": 1,
    "temperature": 0.7,
    "top_p": 0.95,
    "max_new_tokens": 160,
    "batch_size": 3,
    "seed": 5,
}
PROMPT, STOP = "{closing}The answer is \\boxed{", "}"
KINDS = ["sentence", "paragraph", "cue", "arrival", "every"]
SETTINGS = measure.Settings(
    thoughts=4,
    greedy_tokens=80,
    timed_thoughts=1,
    seed=0,
    kinds=KINDS,
    every=8,
    max_tokens=6,
    answer_prompt=PROMPT,
    answer_stop=STOP,
    batch_memory=0.01,
    group_seed=0,
    generation=GENERATION,
)
POCKET = ROOT / "resources/pocket"
MODEL = ModelSettings(str(POCKET), None, "float32", "cpu", "</think>", {})


@dataclass(frozen=True)
class Decoded:
    """The tables that the experiment writes."""

    online: pl.DataFrame
    rules: pl.DataFrame
    latency: pl.DataFrame
    latency_rules: pl.DataFrame


@dataclass(frozen=True)
class SmallStudy:
    """A folder with the study's tables."""

    folder: Path
    model: ModelSettings

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def decode(self, **changes: Any) -> Decoded:
        """Run the experiment."""
        tables = {
            "online": ONLINE_EXIT,
            "rules": ONLINE_RULES,
            "latency": LATENCY,
            "latency_rules": LATENCY_RULES,
        }
        measure.main(
            problems_path=self.path("problems"),
            traces_path=self.path("traces"),
            points_path=self.path("points"),
            scores_path=self.path("scores"),
            probes_path=self.folder / "probes.safetensors",
            lynx_path=self.path("lynx"),
            runs_path=self.path("runs"),
            model=self.model,
            settings=replace(SETTINGS, **changes),
            **{f"{name}_path": self.path(f"out_{name}") for name in tables},
        )
        return Decoded(
            **{
                name: table.read(self.path(f"out_{name}"))
                for name, table in tables.items()
            }
        )


def make_problems(study: SmallStudy) -> None:
    lines = (POCKET / "problems.jsonl").read_text().splitlines()[:6]
    rows = [
        {
            "problem": f"{k:05d}",
            "question": row["question"],
            "gold": row["answer"].rpartition("#### ")[2],
            "solution": row["answer"],
        }
        for k, row in enumerate(map(json.loads, lines))
    ]
    PROBLEMS.write(PROBLEMS.frame(rows), study.path("problems"))


def make_traces(study: SmallStudy) -> None:
    generate_main(
        problems_path=study.path("problems"),
        model_paths=sorted(Path(study.model.source).iterdir()),
        traces_path=study.path("traces"),
        runs_path=study.path("trace_runs"),
        shard="1-of-1",
        model=study.model,
        settings=GenerationSettings(**GENERATION),
        code="c0de",
    )


def make_points(study: SmallStudy) -> None:
    points_main(
        problems_path=study.path("problems"),
        traces_path=study.path("traces"),
        points_path=study.path("points"),
        states_path=study.folder / "1-of-1.safetensors",
        state_rows_path=study.path("states"),
        verification_path=study.path("verification"),
        runs_path=study.path("point_runs"),
        model=study.model,
        settings=PointSettings(
            kinds=KINDS,
            every=8,
            most_points=None,
            max_tokens=6,
            answer_prompt=PROMPT,
            answer_stop=STOP,
            layers=[1.0],
            batch_memory=0.01,
            verification=Verification(share=0.0, minimum=0, seed=0),
        ),
        shard="1-of-1",
    )


def make_probes(study: SmallStudy) -> None:
    """Random probes, their scores, and quantiles with which `lynx` stops sometimes."""
    points = TRIAL_POINTS.read(study.path("points"))
    groups = problem_groups(points["problem"].unique(), SETTINGS.group_seed)
    rng = np.random.default_rng(3)
    decoder = load_decoder(study.model)
    width, last = decoder.d_model, decoder.n_layers
    probes = {
        (rule, group): PointProbe(
            rule, group, (last,), rng.normal(size=(1, width)), 0.1
        )
        for rule in RULES
        for group in range(3)
    }
    origin = model_origin(study.model)
    write_probes(list(probes.values()), origin, study.folder / "probes.safetensors")
    states = PointStates.open(
        study.path("states"),
        [study.folder / "1-of-1.safetensors"],
        states_origin(study.model, study.path("traces")),
    )
    rows = []
    for rule in RULES:
        kind = "arrival" if rule == RULES[0] else "cue"
        for point in points.filter(kind).iter_rows(named=True):
            group = groups[point["problem"]]
            trained_on = training_group(group)
            place = (point["trace"], point["point"])
            (own,) = states.read([place], (last,))
            rows.append(
                {
                    "rule": rule,
                    "trace": point["trace"],
                    "problem": point["problem"],
                    "point": point["point"],
                    "group": group,
                    "trained_on": trained_on,
                    "score": probes[rule, trained_on].score(own),
                }
            )
    EXIT_PROBE_SCORES.write(EXIT_PROBE_SCORES.frame(rows), study.path("scores"))
    lynx = [
        {
            "group": group,
            "delta": 0.1,
            "q_right": 0.9,
            "q_wrong": 0.2,
            "right": 20,
            "wrong": 20,
            "can_stop": True,
        }
        for group in range(3)
    ]
    LYNX_CALIBRATION.write(LYNX_CALIBRATION.frame(lynx), study.path("lynx"))


def make_study(folder: Path) -> SmallStudy:
    """A generated study with trial points and probes."""
    torch.set_num_threads(1)
    study = SmallStudy(folder, MODEL)
    make_problems(study)
    make_traces(study)
    make_points(study)
    make_probes(study)
    return study
