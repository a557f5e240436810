"""Thresholds that other problems have chosen, beside the published ones.

For each group of problems the threshold is chosen on another group, by one standard
error (`doubletake.exit_rules.thresholds`). All reported thoughts together give one row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from doubletake.exit_rules.rule import Rule
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.intervals import corrected, lies_below
from exit_guarantees.outcomes import Outcome, Outcomes
from exit_guarantees.tables import CHOSEN_BY_ERROR, PUBLISHED

Pair = tuple[Outcomes, Outcomes]
"""A rule on the calibration problems of a group, and on the group itself."""


def chosen_rows(
    rules: Mapping[str, Sequence[Rule]],
    pairs: Mapping[str, Sequence[Pair]],
    intervals: IntervalSettings,
) -> list[dict[str, Any]]:
    """Rows of `CHOSEN`: per family, the chosen thresholds and the published ones.

    Args:
        rules: the rules of each family.
        pairs: [family][group]; only families that can be checked.
        intervals: coverage, and fewest problems with an interval.
    """
    tests = {
        CHOSEN_BY_ERROR: len(pairs),
        PUBLISHED: sum(len(rules[family]) for family in pairs),
    }
    settings = {key: corrected(intervals, count) for key, count in tests.items()}
    rows = []
    for family, groups in pairs.items():
        chosen = [calibration.chosen() for calibration, _ in groups]
        variants: list[tuple[str, str | None, list[float | None]]] = [
            (CHOSEN_BY_ERROR, None, chosen)
        ]
        for rule in rules[family]:
            variants.append((PUBLISHED, rule.name, [rule.threshold] * len(groups)))
        smallest = min(calibration.at[None].problems for calibration, _ in groups)
        for choice, policy, thresholds in variants:
            outcome = Outcome.joined(
                [
                    reported.at[threshold]
                    for threshold, (_, reported) in zip(thresholds, groups, strict=True)
                ]
            )
            rows.append(
                {
                    "rule": family,
                    "choice": choice,
                    "policy": policy,
                    "thresholds": thresholds,
                    "calibration_problems": smallest,
                    **_numbers(outcome, intervals, settings[choice]),
                }
            )
    return rows


def _numbers(
    outcome: Outcome, intervals: IntervalSettings, strict: IntervalSettings
) -> dict[str, Any]:
    """What the reported thoughts spend and lose.

    Args:
        outcome: of all groups.
        intervals: of the printed intervals.
        strict: of the intervals that decide, corrected for their number.
    """
    at_end = outcome.right_at_end
    return {
        "thoughts": len(at_end),
        "problems": outcome.problems,
        "stopped": int(outcome.stopped.sum()),
        **outcome.total_rate(intervals).columns("total_rate"),
        **outcome.accuracy(intervals).columns("accuracy"),
        "end_accuracy": float(at_end.mean()),
        **outcome.change(intervals).columns("change"),
        "helped": int((outcome.right & ~at_end).sum()),
        "harmed": int(outcome.lost.sum()),
        **outcome.risk(intervals).columns("risk"),
        "saves": lies_below(outcome.total_rate(strict), 1),
        "loses": lies_below(outcome.change(strict), 0),
    }
