"""Where would each policy stop each thought, and what would that cost?

Every rule with its published parameters, and every policy in hindsight, is replayed on
the trial points of the study's thoughts. A rule that cannot be replayed on these points
is listed with the reason.

Inputs
    points: the trial points (`TRIAL_POINTS`).
    traces: the thoughts (`TRACES`).
    scores, quality: what probes say at the points (`EXIT_PROBE_SCORES`), and why a
        probe is missing (`EXIT_PROBE_QUALITY`).

Outputs
    stops: one row per policy and trace (`STOPS`).
    policies: one row per policy (`POLICIES`).
    curves: one row per rule and threshold of its grid (`CURVES`).
    lynx: one row per group, thresholds of the rule `lynx` (`LYNX_CALIBRATION`).
"""

import logging
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.exit_rules.conformal import ConformalExit
from doubletake.exit_rules.costs import (
    Prices,
    accuracy_difference,
    cost_summary,
    matched_share,
    regret,
)
from doubletake.exit_rules.hindsight import Hindsight
from doubletake.exit_rules.probes import Lynx
from doubletake.exit_rules.published import policies_for, why_not
from doubletake.exit_rules.replay import Looks, Stops, replay
from doubletake.exit_rules.rule import NEEDS, Rule
from doubletake.exit_rules.thoughts import Thought
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, number
from doubletake.stats.paired_test import paired_p
from exit_policies.corrections import corrected
from exit_policies.curves import Sweep
from exit_policies.probed import (
    ProbedThoughts,
    calibration_rows,
    probed_thoughts,
    replay_lynx,
)
from exit_policies.tables import (
    CURVES,
    IN_HINDSIGHT,
    LYNX_CALIBRATION,
    NOTHING,
    POLICIES,
    RULE,
    STOPS,
)
from exit_probes.tables import EXIT_PROBE_QUALITY, EXIT_PROBE_SCORES
from traces.tables import TRACES
from trial_points.reading import thoughts_of
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_exit_policies")


@dataclass(frozen=True)
class Settings:
    """What the replay reads of the config."""

    answer_prompt: str
    """Text that is fed at a point before the trial."""
    kinds: list[str]
    """Kinds of trial points of the study."""
    every: int
    """Tokens between two points of the kind `every`."""
    lynx_delta: float
    """Allowed error of each class in the conformal sets of `lynx`."""
    seed: int
    """Of the groups of problems."""
    tolerance: float
    """Largest loss of accuracy that counts as harmless, as a share."""
    intervals: IntervalSettings


@dataclass(frozen=True)
class Replayed:
    """All policies on the thoughts of a study."""

    stops: dict[str, Stops]
    """Of the policies that were replayed, by name."""
    curves: dict[str, Sweep]
    """Of the rules with a grid."""
    refused: dict[str, str]
    """Why the other policies were not replayed, by name."""
    calibrations: dict[int, ConformalExit] = field(default_factory=dict)
    """Of `lynx`, by the group that reports it."""


def replay_all(
    policies: dict[str, Rule | Hindsight],
    thoughts: list[Thought],
    probed: ProbedThoughts,
    scores: pl.DataFrame,
    settings: Settings,
) -> Replayed:
    """Replay all policies that can be replayed on these thoughts.

    Args:
        policies: by name.
        thoughts: without scores of probes.
        probed: the same thoughts with the scores that a rule reads.
        scores: `EXIT_PROBE_SCORES`.
        settings: of the study.
    """
    found = Replayed({}, {}, {})
    for name, policy in policies.items():
        if isinstance(policy, Hindsight):
            found.stops[name] = replay(policy, thoughts)
            continue
        own = probed.thoughts.get(name, thoughts)
        reason = why_not(policy, own, settings.kinds, settings.every)
        reason = probed.refused.get(name) if reason is None else reason
        if reason is not None:
            found.refused[name] = reason
            logger.warning("not replayed: %s", reason)
            continue
        if isinstance(policy, Lynx):
            found.stops[name], exits = replay_lynx(
                policy, own, scores, settings.lynx_delta, settings.seed
            )
            found.calibrations.update(exits)
            continue
        looks = Looks.of(policy, own)
        found.stops[name] = looks.stops(policy.threshold)
        if policy.grid and thoughts:
            found.curves[name] = Sweep.of(looks, policy.grid)
    return found


def policy_row(
    name: str,
    policy: Rule | Hindsight,
    replayed: Replayed,
    prices: Prices,
    settings: Settings,
) -> dict[str, Any]:
    """The row of `POLICIES` on a policy; only the first columns if it was refused.

    Its p-values are not yet corrected (`corrected`).
    """
    intervals = settings.intervals
    is_rule = isinstance(policy, Rule)
    row: dict[str, Any] = {
        "policy": name,
        "family": RULE if is_rule else IN_HINDSIGHT,
        "asks_for": asked(policy) if isinstance(policy, Rule) else None,
        "threshold": threshold_of(policy),
        "why_not": replayed.refused.get(name),
    }
    stops = replayed.stops.get(name)
    if stops is None or not stops.thoughts:
        return row
    row |= cost_summary(stops, intervals, prices)
    share = matched_share(stops)
    row["matched_share"] = int(share.name.partition("_")[2])
    over = accuracy_difference(stops.right, share.right, stops.problems, intervals)
    row |= over.columns("over_share")
    if is_rule and row["stopped"]:
        row |= p_values(stops, share, settings)
    lost, tokens = regret(stops, replayed.stops["oracle"], intervals)
    row |= lost.columns("lost_to_oracle")
    row |= tokens.columns("tokens_over_oracle")
    curve = replayed.curves.get(name)
    if curve is not None:
        start = replayed.stops["no_thought"].right.mean()
        row |= curve.area(intervals, float(start)).columns("area")
    return {key: value for key, value in row.items() if key in POLICIES.schema}


def p_values(stops: Stops, share: Stops, settings: Settings) -> dict[str, float | None]:
    """The p-values of a rule that stops a thought."""
    right, problems = stops.right, stops.problems
    intervals, margin = settings.intervals, settings.tolerance
    end = stops.right_at_end
    return {
        "change_p": paired_p(right, end, problems, intervals),
        "harmless_p": paired_p(right, end, problems, intervals, margin=margin),
        "over_share_p": paired_p(right, share.right, problems, intervals),
    }


def asked(rule: Rule) -> str:
    """What a rule asks for, of `NEEDS`, or `NOTHING`."""
    return " and ".join(need for need in NEEDS if need in rule.needs) or NOTHING


def threshold_of(policy: Rule | Hindsight) -> float | None:
    """The threshold of a rule; None if it is infinite, or in hindsight."""
    if isinstance(policy, Hindsight) or math.isinf(policy.threshold):
        return None
    return number(policy.threshold)


def stop_rows(replayed: Replayed) -> pl.DataFrame:
    """The rows of `STOPS` of all policies."""
    parts = [
        stops.frame().with_columns(
            correct=pl.Series(stops.right, dtype=pl.Boolean),
            end_correct=pl.Series(stops.right_at_end, dtype=pl.Boolean),
        )
        for stops in replayed.stops.values()
        if stops.thoughts
    ]
    return pl.concat([STOPS.frame([]), *(part.cast(STOPS.schema) for part in parts)])


def curve_rows(replayed: Replayed) -> list[dict[str, Any]]:
    """The rows of `CURVES`."""
    rows = []
    for name, curve in replayed.curves.items():
        values = (curve.thresholds, curve.cost, curve.accuracy, curve.stopped)
        for threshold, cost, accuracy, stopped in zip(*values, strict=True):
            rows.append(
                {
                    "policy": name,
                    "threshold": float(threshold),
                    "total_rate": float(cost),
                    "accuracy": float(accuracy),
                    "stopped": int(stopped),
                }
            )
    return rows


def main(
    *,
    points_path: Path,
    traces_path: Path,
    scores_path: Path,
    quality_path: Path,
    stops_path: Path,
    policies_path: Path,
    lynx_path: Path,
    curves_path: Path,
    settings: Settings,
) -> None:
    """Replay all policies on the study's thoughts, and write the four tables."""
    points, traces = TRIAL_POINTS.read(points_path), TRACES.read(traces_path)
    scores = EXIT_PROBE_SCORES.read(scores_path)
    quality = EXIT_PROBE_QUALITY.read(quality_path)
    thoughts = thoughts_of(points, traces)
    probed = probed_thoughts(points, traces, scores, quality)
    policies = policies_for(settings.answer_prompt)
    replayed = replay_all(policies, thoughts, probed, scores, settings)
    suffix = points.filter(pl.col("point") > 0)["suffix_tokens"].max()
    prices = Prices(suffix if isinstance(suffix, int) else 0)
    rows = [
        policy_row(
            name,
            policy,
            replayed,
            replace(prices, probe=probed.work.get(name, 0.0)),
            settings,
        )
        for name, policy in policies.items()
    ]
    logger.info(
        "%d of %d policies replayed on %d thoughts",
        len(replayed.stops),
        len(policies),
        len(thoughts),
    )
    STOPS.write(stop_rows(replayed), stops_path)
    POLICIES.write(POLICIES.frame(corrected(rows)), policies_path)
    calibrations = calibration_rows(replayed.calibrations)
    LYNX_CALIBRATION.write(LYNX_CALIBRATION.frame(calibrations), lynx_path)
    CURVES.write(CURVES.frame(curve_rows(replayed)), curves_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params.settings
        main(
            points_path=Path(snakemake.input.points),
            traces_path=Path(snakemake.input.traces),
            scores_path=Path(snakemake.input.scores),
            quality_path=Path(snakemake.input.quality),
            stops_path=Path(snakemake.output.stops),
            policies_path=Path(snakemake.output.policies),
            lynx_path=Path(snakemake.output.lynx),
            curves_path=Path(snakemake.output.curves),
            settings=Settings(
                **params | {"intervals": IntervalSettings(**params["intervals"])}
            ),
        )
