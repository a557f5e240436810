"""Costs: what a policy keeps, spends and changes, paired with the full thoughts.

All intervals come from the house's jackknife over problems (`doubletake.stats`), which
takes the place of a paired bootstrap over problems: the percentile bootstrap covers
less than stated. A difference is one of paired thoughts.

The final answer after an exit is not counted, and neither is that of the full thought.
A trial answer is counted wherever a policy asks for it, also at the stop.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from doubletake.exit_rules.hindsight import TokenShare
from doubletake.exit_rules.replay import BILLED, Stops, replay
from doubletake.exit_rules.thresholds import spent_tokens
from doubletake.stats.intervals import (
    IntervalSettings,
    Mean,
    cluster_ends,
    cluster_means,
    cluster_sums,
    number,
)


@dataclass(frozen=True)
class Prices:
    """What a look costs beside the tokens of trial answers."""

    suffix: int
    """Tokens that are fed before a trial or to read the entropy: the marker and the
    answer prompt. They run in one forward pass."""
    probe: float = 0.0
    """Work of a probe, in forward passes of one token."""


def cost_summary(
    stops: Stops, intervals: IntervalSettings, prices: Prices
) -> dict[str, Any]:
    """One row on a policy. Rates are sums over all thoughts, not means of rates.

    Returns:
        policy, thoughts, problems; `stopped` (before the end) and `able` (with enough
        points), in thoughts; `kept_rate` (kept / full) and `total_rate` ((kept + trial)
        / full) with ends; `accuracy`, `end_accuracy` and `change` (accuracy at the exit
        minus that at the end) with ends; `helped` (wrong at the end, right at the
        exit), `harmed` and `unchanged`, in thoughts; the sums of `BILLED` and of
        `read_ahead`, which no rate includes; `fed_tokens` of all looks, and
        `probe_work` in forward passes of one token. Low and high ends are named like
        their column, and are None without an interval.
    """
    problems, full = stops.problems, stops.full.astype(float)
    right, at_end = stops.right, stops.right_at_end
    bill = dict(zip(BILLED, (int(n) for n in stops.bill.sum(0)), strict=True))
    helped, harmed = (int(a.sum()) for a in (right & ~at_end, at_end & ~right))
    means = {
        "kept_rate": ratio(stops.kept, full, problems, intervals),
        "total_rate": ratio(spent_tokens(stops), full, problems, intervals),
        "accuracy": share(right, problems, intervals),
        "end_accuracy": share(at_end, problems, intervals),
        "change": accuracy_difference(right, at_end, problems, intervals),
    }
    return {
        "policy": stops.name,
        "thoughts": len(stops.thoughts),
        "problems": len(set(problems)),
        "stopped": int((stops.point >= 0).sum()),
        "able": int(stops.able.sum()),
        **{
            key: value
            for name, m in means.items()
            for key, value in m.columns(name).items()
        },
        "helped": helped,
        "harmed": harmed,
        "unchanged": len(right) - helped - harmed,
        **bill,
        "read_ahead": int(stops.read_ahead.sum()),
        "fed_tokens": prices.suffix * (bill["trials"] + bill["entropies"]),
        "probe_work": prices.probe * bill["probes"],
    }


def ratio(
    parts: np.ndarray, wholes: np.ndarray, problems: np.ndarray, s: IntervalSettings
) -> Mean:
    """Sum of `parts` over sum of `wholes`, both [thought], with its interval."""
    columns = np.zeros(len(parts), dtype=np.int64)
    sums, _ = cluster_sums(parts.astype(float), problems, columns, 1)
    totals, counts = cluster_sums(wholes.astype(float), problems, columns, 1)
    low, high = cluster_ends(sums, totals, s)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float((sums.sum(0) / totals.sum(0))[0])
    n, clusters = int(counts.sum()), int((totals > 0).sum())
    return Mean(value, number(low[0]), number(high[0]), n, clusters)


def share(flags: np.ndarray, problems: np.ndarray, s: IntervalSettings) -> Mean:
    """Share of true flags [thought], with its interval."""
    return cluster_means(flags[:, None].astype(float), problems, s, shares=True)[0]


def accuracy_difference(
    right: np.ndarray, other: np.ndarray, problems: np.ndarray, s: IntervalSettings
) -> Mean:
    """Accuracy of one policy minus that of another, on the same thoughts.

    Args:
        right: [thought], whether the first is right.
        other: [thought], whether the other is.
        problems: [thought].
        s: coverage, and fewest problems with an interval. There is none either where
            both are right on the same thoughts.
    """
    difference = right.astype(float) - other
    return cluster_means(difference[:, None], problems, s)[0]


def regret(stops: Stops, oracle: Stops, s: IntervalSettings) -> tuple[Mean, Mean]:
    """What a policy loses against an oracle on the same thoughts.

    Returns:
        Accuracy of the oracle minus that of the policy, and the policy's tokens (kept
        and trial) minus those of the oracle, over the tokens of the full thoughts.
    """
    problems = stops.problems
    tokens = spent_tokens(stops) - spent_tokens(oracle)
    return (
        accuracy_difference(oracle.right, stops.right, problems, s),
        ratio(tokens, stops.full, problems, s),
    )


def matched_share(stops: Stops) -> Stops:
    """The baseline with at least the tokens of a policy: a fixed share of each thought.

    The least share, in percent, at which the baseline keeps at least as many tokens as
    the policy keeps and spends on trials. So a policy that beats it does not do so by
    more tokens. A policy that costs more than the full thoughts meets those.
    """
    spent = spent_tokens(stops).sum()
    low, high = 0, 100  # the baseline is cheap enough at no share below `low`
    while low < high:
        middle = (low + high) // 2
        enough = _share(stops, middle).kept.sum() >= spent
        low, high = (low, middle) if enough else (middle + 1, high)
    return _share(stops, low)


def _share(stops: Stops, percent: int) -> Stops:
    policy = TokenShare(f"share_{percent}", percent / 100)
    return replay(policy, stops.thoughts)
