"""Which threshold keeps the loss below a stated risk, and is the promise kept?

Each group of problems is reported with thresholds that another group has chosen, and
with probes that the third group has trained.

Inputs
    points: the trial points (`TRIAL_POINTS`).
    traces: the thoughts (`TRACES`).
    scores: of the probes (`EXIT_PROBE_SCORES`).

Outputs
    chosen: thresholds chosen by one standard error, and published ones (`CHOSEN`).
    risks: certified thresholds, and what other problems lose (`RISKS`).
    conformal: the conformal exit of LYNX (`CONFORMAL`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.exit_rules.families import families
from doubletake.exit_rules.probes import Lynx
from doubletake.exit_rules.published import policies_for, why_not
from doubletake.exit_rules.rule import Rule
from doubletake.exit_rules.splits import one_per_problem
from doubletake.exit_rules.thoughts import Thought
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.chosen import Pair, chosen_rows
from exit_guarantees.conformal_exits import conformal_rows
from exit_guarantees.guarantees import RiskSettings
from exit_guarantees.outcomes import Outcomes
from exit_guarantees.risks import risk_rows
from exit_guarantees.rotations import Rotation, rotations, scores_of
from exit_guarantees.tables import CHOSEN, CHOSEN_BY_ERROR, CONFORMAL, RISKS
from exit_probes.tables import EXIT_PROBE_SCORES
from exit_probes.tables import RULES as PROBED
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


@dataclass(frozen=True)
class Study:
    """The rotations of a study, with the scores that each rule needs."""

    plain: list[Rotation]
    """For rules without a probe."""
    probed: dict[str, list[Rotation]]
    """For rules with a probe, by name."""

    @classmethod
    def of(
        cls,
        points: pl.DataFrame,
        traces: pl.DataFrame,
        scores: pl.DataFrame,
        seed: int,
    ) -> "Study":
        """Draw the groups.

        Args:
            points: `TRIAL_POINTS`.
            traces: `TRACES`.
            scores: `EXIT_PROBE_SCORES`; no row where no probe could be trained.
            seed: of the draw.
        """
        probed = {
            rule: rotations(points, traces, seed, scores_of(scores, rule, points, seed))
            for rule in PROBED
        }
        return cls(rotations(points, traces, seed), probed)

    def turns(self, rule: Rule) -> list[Rotation]:
        """The rotations for a rule, with all thoughts."""
        return self.probed.get(rule.name, self.plain)

    def why_not(self, rule: Rule, settings: Settings) -> str | None:
        """Why a rule is not checked; None if it is."""
        thoughts = [
            thought
            for turn in self.turns(rule)
            for thought in (*turn.calibration, *turn.reported)
        ]
        return why_not(rule, thoughts, settings.kinds, settings.every)


def summarise(
    study: Study, settings: Settings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The tables `CHOSEN`, `RISKS` and `CONFORMAL`; without thoughts they are empty."""
    if not any(turn.reported for turn in study.plain):
        return CHOSEN.frame([]), RISKS.frame([]), CONFORMAL.frame([])
    policies = policies_for(settings.answer_prompt)
    grouped = families(policies)
    reasons = {
        family: study.why_not(rules[0], settings) for family, rules in grouped.items()
    }
    refused = {family: reason for family, reason in reasons.items() if reason}
    for reason in refused.values():
        logger.warning("not checked: %s", reason)
    checked = {name: rules for name, rules in grouped.items() if name not in refused}
    pairs = _pairs(checked, study)
    chosen = chosen_rows(checked, pairs, settings.intervals)
    chosen += [
        {"rule": family, "choice": CHOSEN_BY_ERROR, "why_not": reason}
        for family, reason in refused.items()
    ]
    risks = [RiskSettings(epsilon, settings.delta) for epsilon in settings.epsilons]
    single = _one_per_problem(pairs, study, settings.seed)
    asked = risk_rows(single, risks, settings.intervals)
    asked += [
        {"rule": family, **asdict(risk), "why_not": reason}
        for family, reason in refused.items()
        for risk in risks
    ]
    lynx = policies["lynx"]
    assert isinstance(lynx, Lynx)
    conformal = []
    if study.why_not(lynx, settings) is None:
        turns = [turn.one_per_problem(settings.seed) for turn in study.turns(lynx)]
        deltas = settings.conformal_deltas
        conformal = conformal_rows(lynx, turns, deltas, settings.intervals)
    return CHOSEN.frame(chosen), RISKS.frame(asked), CONFORMAL.frame(conformal)


def _pairs(rules: Mapping[str, Sequence[Rule]], study: Study) -> dict[str, list[Pair]]:
    """Each family on calibration and reported thoughts, by group.

    Args:
        rules: the rules of each family.
        study: its thoughts.
    """
    return {
        family: [
            (
                Outcomes.of(rule, turn.calibration),
                Outcomes.of(rule, turn.reported, [one.threshold for one in variants]),
            )
            for turn in study.turns(rule)
        ]
        for family, variants in rules.items()
        for rule in variants[:1]
    }


def _one_per_problem(
    pairs: Mapping[str, Sequence[Pair]], study: Study, seed: int
) -> dict[str, list[Pair]]:
    """The same with one drawn thought of each problem."""
    rows = [
        [_drawn(part, seed) for part in (turn.calibration, turn.reported)]
        for turn in study.plain
    ]
    return {
        family: [
            (calibration.only(first), reported.only(second))
            for (calibration, reported), (first, second) in zip(
                groups, rows, strict=True
            )
        ]
        for family, groups in pairs.items()
    }


def _drawn(thoughts: Sequence[Thought], seed: int) -> np.ndarray:
    """[thought], whether it is the one that is drawn for its problem."""
    names = {thought.trace for thought in one_per_problem(thoughts, seed)}
    return np.array([thought.trace in names for thought in thoughts], dtype=bool)


def main(
    *,
    points_path: Path,
    traces_path: Path,
    scores_path: Path,
    chosen_path: Path,
    risks_path: Path,
    conformal_path: Path,
    settings: Settings,
) -> None:
    """Choose, certify and report, and write the three tables."""
    points, traces = TRIAL_POINTS.read(points_path), TRACES.read(traces_path)
    scores = EXIT_PROBE_SCORES.read(scores_path)
    study = Study.of(points, traces, scores, settings.seed)
    chosen, risks, conformal = summarise(study, settings)
    CHOSEN.write(chosen, chosen_path)
    RISKS.write(risks, risks_path)
    CONFORMAL.write(conformal, conformal_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params.settings
        main(
            points_path=Path(snakemake.input.points),
            traces_path=Path(snakemake.input.traces),
            scores_path=Path(snakemake.input.scores),
            chosen_path=Path(snakemake.output.chosen),
            risks_path=Path(snakemake.output.risks),
            conformal_path=Path(snakemake.output.conformal),
            settings=Settings(
                **params | {"intervals": IntervalSettings(**params["intervals"])}
            ),
        )
