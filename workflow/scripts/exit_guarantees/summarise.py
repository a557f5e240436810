"""Which threshold keeps the loss below a stated risk, and is the promise kept?

Each group of problems is reported with thresholds that another group has chosen, and
with probes that the third group has trained.

Inputs
    points: the trial points (`TRIAL_POINTS`).
    traces: the thoughts (`TRACES`).

Outputs
    chosen: thresholds chosen by one standard error, and published ones (`CHOSEN`).
    risks: certified thresholds, and what other problems lose (`RISKS`).
    conformal: the conformal exit of LYNX (`CONFORMAL`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.exit_rules.probes import Lynx
from doubletake.exit_rules.published import policies_for, why_not
from doubletake.exit_rules.rule import Rule
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.chosen import chosen_rows
from exit_guarantees.conformal_exits import conformal_rows
from exit_guarantees.families import families
from exit_guarantees.guarantees import RiskSettings
from exit_guarantees.outcomes import Outcomes
from exit_guarantees.risks import risk_rows
from exit_guarantees.rotations import Rotation, rotations
from exit_guarantees.tables import CHOSEN, CHOSEN_BY_ERROR, CONFORMAL, RISKS
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_exit_guarantees")


@dataclass(frozen=True)
class Settings:
    """What the guarantees read of the config."""

    answer_prompt: str
    """Text that is fed at a point before the trial."""
    kinds: list[str]
    """Kinds of trial points of the study."""
    every: int
    """Tokens between two points of the kind `every`."""
    seed: int
    """Of the draw of groups, and of one thought per problem."""
    epsilons: list[float]
    """Allowed shares of problems that lose their right answer."""
    delta: float
    """Allowed probability of a false certificate."""
    conformal_deltas: list[float]
    """Allowed errors of the conformal exit."""
    intervals: IntervalSettings


def summarise(
    points: pl.DataFrame,
    traces: pl.DataFrame,
    scores: pl.DataFrame | None,
    settings: Settings,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The tables `CHOSEN`, `RISKS` and `CONFORMAL`; without thoughts they are empty.

    Args:
        points: `TRIAL_POINTS`.
        traces: `TRACES`.
        scores: of probes, see `rotations`; None without probes.
        settings: see `Settings`.
    """
    if points.is_empty():
        return CHOSEN.frame([]), RISKS.frame([]), CONFORMAL.frame([])
    turns = rotations(points, traces, scores, settings.seed)
    single = [turn.one_per_problem(settings.seed) for turn in turns]
    policies = policies_for(settings.answer_prompt)
    grouped = families(policies)
    refused = {
        family: reason
        for family, rules in grouped.items()
        if (reason := _why_not(rules[0], turns, settings)) is not None
    }
    checked = {name: rules for name, rules in grouped.items() if name not in refused}
    risks = [RiskSettings(epsilon, settings.delta) for epsilon in settings.epsilons]
    chosen = chosen_rows(checked, _pairs(checked, turns), settings.intervals)
    chosen += [
        {"rule": family, "choice": CHOSEN_BY_ERROR, "why_not": reason}
        for family, reason in refused.items()
    ]
    asked = risk_rows(_pairs(checked, single), risks, settings.intervals)
    asked += [
        {
            "rule": family,
            "epsilon": risk.epsilon,
            "delta": risk.delta,
            "why_not": reason,
        }
        for family, reason in refused.items()
        for risk in risks
    ]
    lynx = policies["lynx"]
    assert isinstance(lynx, Lynx)
    conformal = []
    if _why_not(lynx, turns, settings) is None:
        conformal = conformal_rows(
            lynx, single, settings.conformal_deltas, settings.intervals
        )
    for family, reason in refused.items():
        logger.warning("not checked: %s: %s", family, reason)
    return CHOSEN.frame(chosen), RISKS.frame(asked), CONFORMAL.frame(conformal)


def _why_not(rule: Rule, turns: Sequence[Rotation], settings: Settings) -> str | None:
    """Why a rule is not checked: of all rotations, because their scores differ."""
    thoughts = [
        thought for turn in turns for thought in (*turn.calibration, *turn.reported)
    ]
    return why_not(rule, thoughts, settings.kinds, settings.every)


def _pairs(
    rules: Mapping[str, Sequence[Rule]], turns: Sequence[Rotation]
) -> dict[str, list[tuple[Outcomes, Outcomes]]]:
    """Each family on calibration and reported thoughts, by group."""
    return {
        family: [
            (
                Outcomes.of(variants[0], turn.calibration),
                Outcomes.of(
                    variants[0], turn.reported, [rule.threshold for rule in variants]
                ),
            )
            for turn in turns
        ]
        for family, variants in rules.items()
    }


def main(
    *,
    points_path: Path,
    traces_path: Path,
    chosen_path: Path,
    risks_path: Path,
    conformal_path: Path,
    settings: Settings,
) -> None:
    """Choose, certify and report, and write the three tables."""
    points, traces = TRIAL_POINTS.read(points_path), TRACES.read(traces_path)
    chosen, risks, conformal = summarise(points, traces, None, settings)
    CHOSEN.write(chosen, chosen_path)
    RISKS.write(risks, risks_path)
    CONFORMAL.write(conformal, conformal_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params.settings
        main(
            points_path=Path(snakemake.input.points),
            traces_path=Path(snakemake.input.traces),
            chosen_path=Path(snakemake.output.chosen),
            risks_path=Path(snakemake.output.risks),
            conformal_path=Path(snakemake.output.conformal),
            settings=Settings(
                **params | {"intervals": IntervalSettings(**params["intervals"])}
            ),
        )
