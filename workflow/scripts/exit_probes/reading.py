"""For later stages: scores of trial points, and the probes that gave them.

`exit_probes/probes.safetensors` holds, for each rule and training group with a probe:

    RULE/GROUP/weight  [layer, d_model]  float64, in units of the residual stream
    RULE/GROUP/bias    [1]               float64
    RULE/GROUP/layers  [layer]           int64, boundaries of the residual stream

Its metadata say which model the probes belong to: source, revision, dtype.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from doubletake.exit_rules.splits import GROUPS, training_group
from doubletake.running.errors import InputError
from doubletake.tensors.sealed_tensors import read_tensors, write_tensors

Scores = dict[tuple[str, int], float]
"""Probability of a right trial answer, by trace and point."""


@dataclass(frozen=True)
class PointProbe:
    """Scores a trial point from the residual stream before it."""

    rule: str
    """Exit rule that reads it."""
    trained_on: int
    """Group whose problems trained it."""
    layers: tuple[int, ...]
    """Boundaries of the residual stream that it reads, ascending. Boundary l is the
    input of layer l, and the last is the input of the final norm."""
    weight: np.ndarray
    """`[layer, d_model]`, float64, log-odds per unit of the residual stream."""
    bias: float

    def score(self, states: np.ndarray) -> float:
        """Probability that the trial answer at a point is right.

        Equal states give equal scores, here and in the table of scores.

        Args:
            states: `[layer, d_model]`, the residual stream at `layers`, at the last
                token before the point.
        """
        log_odds = float((states.astype(np.float64) * self.weight).sum()) + self.bias
        return probability(log_odds)


def probability(log_odds: float) -> float:
    """The probability of some log-odds."""
    small = math.exp(-abs(log_odds))  # does not overflow
    return (1.0 if log_odds >= 0 else small) / (1.0 + small)


def scores_by(scores: pl.DataFrame, rule: str, trained_on: int) -> Scores:
    """The scores of one probe: points of the two groups that did not train it.

    Args:
        scores: `EXIT_PROBE_SCORES`.
        rule: exit rule that reads the probe.
        trained_on: group that trained it.
    """
    return _by_point(scores.filter(rule=rule, trained_on=trained_on))


def reported_scores(scores: pl.DataFrame, rule: str) -> Scores:
    """All points, each with the score of the probe of its problem's training group.

    Args:
        scores: `EXIT_PROBE_SCORES`.
        rule: exit rule that reads the probes.
    """
    training = {group: training_group(group) for group in range(GROUPS)}
    own = pl.col("group").replace_strict(training, return_dtype=pl.Int32)
    return _by_point(scores.filter(rule=rule).filter(pl.col("trained_on") == own))


def _by_point(scores: pl.DataFrame) -> Scores:
    rows = scores.select("trace", "point", "score").iter_rows()
    return {(trace, point): score for trace, point, score in rows}


def write_probes(
    probes: list[PointProbe], metadata: dict[str, str], path: str | Path
) -> None:
    """Write probes into a sealed file.

    Args:
        probes: one per rule and training group.
        metadata: source, revision and dtype of the model.
        path: of the file.
    """
    tensors = {}
    for probe in probes:
        name = f"{probe.rule}/{probe.trained_on}"
        tensors[f"{name}/weight"] = probe.weight
        tensors[f"{name}/bias"] = np.array([probe.bias])
        tensors[f"{name}/layers"] = np.array(probe.layers, dtype=np.int64)
    write_tensors(tensors, metadata, path)


def read_probes(
    path: str | Path, model: dict[str, str] | None = None
) -> dict[tuple[str, int], PointProbe]:
    """The probes of a study by rule and training group.

    Args:
        path: the file.
        model: metadata that the file must have; None: any.

    Raises:
        InputError: the file is damaged, or its probes belong to another model.
    """
    tensors, metadata = read_tensors(path)
    for key, wanted in (model or {}).items():
        if metadata.get(key) != wanted:
            raise InputError(
                f"{path}: probes of another model: {key} is {metadata.get(key)!r} "
                f"instead of {wanted!r}"
            )
    found = {}
    for name in {key.rpartition("/")[0] for key in tensors}:
        rule, _, group = name.rpartition("/")
        found[rule, int(group)] = PointProbe(
            rule,
            int(group),
            tuple(tensors[f"{name}/layers"].tolist()),
            tensors[f"{name}/weight"],
            float(tensors[f"{name}/bias"][0]),
        )
    return dict(sorted(found.items()))
