"""Does the state at a trial point tell that its trial answer is right?

For each exit rule that reads a probe, one probe per group of problems
(`doubletake.exit_rules.splits`): trained on the points of the group, it scores those of
the two other groups. `correctness_probe` reads the last boundary of the residual stream
at arrivals (Zhang et al. 2025, arXiv 2504.05419), `lynx` all kept boundaries at cues
(Akgül et al. 2025, arXiv 2512.05325). `exit_probes.training` says what differs.

Inputs
    points: the trial points (`TRIAL_POINTS`); their problems are drawn into groups.
    index, states: the residual stream before arrivals and cues.
    traces: their digest shows that the states belong to them.

Outputs
    scores: the scores of all points by probes that have not seen their problem
        (`EXIT_PROBE_SCORES`).
    quality: how good each probe is, and why there is none (`EXIT_PROBE_QUALITY`).
    probes: the probes, as in `exit_probes.reading`.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.exit_rules.splits import GROUPS, problem_groups, training_group
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from doubletake.study.settings import ModelSettings
from exit_probes.quality import Scored
from exit_probes.reading import PointProbe, write_probes
from exit_probes.tables import (
    CORRECTNESS,
    EXIT_PROBE_QUALITY,
    EXIT_PROBE_SCORES,
    LYNX,
    RULES,
)
from exit_probes.training import ProbePlan, fit_group, why_no_probe
from trial_points.reading import PointStates, model_origin, states_origin
from trial_points.tables import ARRIVAL, CUE, TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("train_exit_probes")

KINDS = {CORRECTNESS: ARRIVAL, LYNX: CUE}
"""Kind of the points at which a rule reads its probe."""


@dataclass(frozen=True)
class Settings:
    """The `exit_probes` section of the config, and parts of other sections."""

    strengths: list[float]
    """Inverse strengths C of the penalty to choose from."""
    folds: int
    """Parts of the training problems for the choice of C."""
    shuffles: int
    """Number of fits on shuffled labels."""
    seed: int
    """Of `exit_policies`: seed of the groups, of the folds and of the shuffles."""
    intervals: IntervalSettings

    @property
    def plan(self) -> ProbePlan:
        """How probes are fitted."""
        return ProbePlan(self.strengths, self.folds, self.shuffles, self.seed)


@dataclass
class Trained:
    """The probes of all rules."""

    probes: list[PointProbe] = field(default_factory=list)
    scores: list[pl.DataFrame] = field(default_factory=list)
    """Rows of `EXIT_PROBE_SCORES`."""
    quality: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `EXIT_PROBE_QUALITY`."""


def points_of(points: pl.DataFrame, rule: str, seed: int) -> pl.DataFrame:
    """The points at which a rule reads its probe, with the group of their problem.

    Args:
        points: `TRIAL_POINTS` of all problems.
        rule: of `RULES`.
        seed: of the groups.
    """
    groups = problem_groups(points["problem"], seed)
    return (
        # No rule looks before the first token, or at the end of the thought.
        points.filter(
            pl.col(KINDS[rule]) & (pl.col("tokens_before") > 0) & ~pl.col("end")
        )
        .sort("trace", "point")
        .select(
            "trace",
            "problem",
            "point",
            pl.col("problem")
            .replace_strict(groups, return_dtype=pl.Int32)
            .alias("group"),
            "correct",
        )
    )


def train_rule(
    trained: Trained,
    rule: str,
    cases: pl.DataFrame,
    states: np.ndarray,
    layers: tuple[int, ...],
    work: float,
    settings: Settings,
) -> None:
    """Train the probes of one rule, and add what comes of them.

    Args:
        trained: where it goes.
        rule: of `RULES`.
        cases: its points (`points_of`).
        states: [point, layer, d_model], float32.
        layers: boundaries of the residual stream.
        work: of a score, in forward passes of one token.
        settings: how.
    """
    parts = []
    for trained_on in range(GROUPS):
        inside = (cases["group"] == trained_on).to_numpy()
        row, reason = quality_row(rule, trained_on, cases.filter(inside), settings)
        trained.quality.append(row)
        if reason is not None:
            logger.warning("%s, group %d: no probe: %s", rule, trained_on, reason)
            continue
        part, probe, strength = train_group(
            cases, inside, states, layers, row, settings
        )
        row |= {"strength": strength, "work": work}
        row |= part.columns(settings.intervals)
        trained.probes.append(probe)
        trained.scores.append(score_rows(cases.filter(~inside), probe, part))
        parts.append((part, cases.filter(~inside)["group"].to_numpy()))
    total, reason = quality_row(rule, None, cases, settings)
    trained.quality.append(total)
    if len(parts) < GROUPS:
        total["why_not"] = f"{GROUPS - len(parts)} of {GROUPS} groups have no probe"
        return
    own = [
        part.of(np.array([training_group(int(group)) for group in groups]) == number)
        for number, (part, groups) in enumerate(parts)
    ]
    total |= Scored.joined(own).columns(settings.intervals) | {"work": work}


def quality_row(
    rule: str, trained_on: int | None, cases: pl.DataFrame, settings: Settings
) -> tuple[dict[str, Any], str | None]:
    """A row of `EXIT_PROBE_QUALITY` on training points, and why there is no probe."""
    labels, problems = (cases[name].to_numpy() for name in ("correct", "problem"))
    reason = why_no_probe(labels, problems, settings.folds)
    row = {
        "rule": rule,
        "trained_on": trained_on,
        "why_not": reason,
        "points": cases.height,
        "problems": cases["problem"].n_unique(),
        "right_share": cases["correct"].mean(),
        "tested": 0,
        "tested_problems": 0,
    }
    return row, reason


def train_group(
    cases: pl.DataFrame,
    inside: np.ndarray,
    states: np.ndarray,
    layers: tuple[int, ...],
    row: dict[str, Any],
    settings: Settings,
) -> tuple[Scored, PointProbe, float]:
    """Fit the probe of one group and score the points of the others.

    Returns:
        The scored points, the probe, and its C.
    """
    labels, problems = (cases[name].to_numpy() for name in ("correct", "problem"))
    flat = states.reshape(len(states), -1)
    features = flat[inside].astype(np.float64)
    fitted = fit_group(features, labels[inside], problems[inside], settings.plan)
    if fitted.unfinished:
        logger.warning(
            "%s, group %d: %d fits have not converged",
            row["rule"],
            row["trained_on"],
            fitted.unfinished,
        )
    weight = fitted.probe.weight.reshape(states.shape[1:])
    probe = PointProbe(
        row["rule"], row["trained_on"], layers, weight, fitted.probe.bias
    )
    outside = flat[~inside]
    scored = Scored(
        np.array([probe.score(one) for one in states[~inside]]),
        labels[~inside],
        problems[~inside],
        np.full(len(outside), row["trained_on"]),
        np.array([control.scores(outside) for control in fitted.shuffled]).reshape(
            -1, len(outside)
        ),
        np.full(len(outside), labels[inside].mean()),
    )
    return scored, probe, fitted.strength


def score_rows(cases: pl.DataFrame, probe: PointProbe, scored: Scored) -> pl.DataFrame:
    """The rows of `EXIT_PROBE_SCORES` of one probe."""
    return cases.with_columns(
        rule=pl.lit(probe.rule),
        trained_on=pl.lit(probe.trained_on, pl.Int32),
        score=pl.Series(scored.scores, dtype=pl.Float64),
    ).select(list(EXIT_PROBE_SCORES.schema))


def main(
    *,
    points_path: Path,
    traces_path: Path,
    index_path: Path,
    states_paths: list[Path],
    scores_path: Path,
    quality_path: Path,
    probes_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read points and states, train the probes, write scores, quality and probes."""
    points = TRIAL_POINTS.read(points_path)
    origin = states_origin(model, traces_path)
    states = PointStates.open(index_path, states_paths, origin)
    trained = Trained()
    for rule in RULES:
        cases = points_of(points, rule, settings.seed)
        layers = states.boundaries[-1:] if rule == CORRECTNESS else states.boundaries
        keys = list(cases.select("trace", "point").iter_rows())
        work = len(layers) * states.d_model / states.token_multiplications
        train_rule(
            trained, rule, cases, states.read(keys, layers), layers, work, settings
        )
    scores = pl.concat([EXIT_PROBE_SCORES.frame([]), *trained.scores])
    EXIT_PROBE_SCORES.write(scores, scores_path)
    EXIT_PROBE_QUALITY.write(EXIT_PROBE_QUALITY.frame(trained.quality), quality_path)
    write_probes(trained.probes, model_origin(model), probes_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params.settings
        main(
            points_path=Path(snakemake.input.points),
            traces_path=Path(snakemake.input.traces),
            index_path=Path(snakemake.input.index),
            states_paths=[Path(path) for path in snakemake.input.states],
            scores_path=Path(snakemake.output.scores),
            quality_path=Path(snakemake.output.quality),
            probes_path=Path(snakemake.output.probes),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **params | {"intervals": IntervalSettings(**params["intervals"])}
            ),
        )
