"""Backtracks beside their matched controls: like with like, within pairs."""

import numpy as np
import polars as pl
import pytest
from tiny_matches import pair_rows

from attribution.context_tables import Published, context_parts_table, overlap_table
from attribution.decision_contexts import DecisionContext
from attribution.mean_rows import mean_rows
from attribution.score_tables import layers_table
from attribution.tables import ATTRIBUTION
from doubletake.stats.intervals import IntervalSettings
from doubletake.text.context_parts import OUTSIDE
from matches.reading import by_kind
from matches.tables import MATCHES

INTERVALS = IntervalSettings(least_problems=2)
PARTS = np.array([OUTSIDE, 0, 0, 1, 2, 3, 4, 5])
MATCHED = MATCHES.frame(
    pair_rows(
        "backtrack_control",
        [
            (("a/0", 1, 8), ("a/0", 2, 8)),
            (("b/0", 1, 8), ("d/0", 2, 8)),  # a distant control
            (("e/0", 1, 8), ("e/0", 2, 8)),  # a control that is not there
        ],
    )
)
QUESTION = {
    ("a/0", 1, "backtrack"): 2.0,
    ("a/0", 2, "control"): 1.0,
    ("b/0", 1, "backtrack"): 4.0,
    ("d/0", 2, "control"): 1.0,
    ("c/0", 1, "backtrack"): 40.0,
    ("e/0", 1, "backtrack"): 80.0,
    ("f/0", 5, "wrap_up"): 9.0,
}
"""|score| of the question's tokens at each position; other tokens have 1."""


def contexts(kinds=("backtrack", "control", "wrap_up")) -> list[DecisionContext]:
    return [
        DecisionContext(
            {"trace": trace, "event": event, "kind": kind, "problem": trace[0]}
            | {"max_abs": [9.0, question, question, 1.0, 1.0, 1.0, 1.0, 1.0]},
            [],
            frozenset(),
            PARTS,
        )
        for (trace, event, kind), question in QUESTION.items()
        if kind in kinds
    ]


def per_token(question: float) -> float:
    """Importance of a token of the question, relative to the mean token."""
    return question / ((2 * question + 5) / 7)


def rows_of(table: pl.DataFrame) -> dict[str, dict]:
    rows = table.filter(context_part=0, quantity="token").to_dicts()
    return {row["kind"]: row for row in rows}


def test_matched_backtracks_stand_beside_their_controls():
    published = Published(context_parts=(0.5,) * 6)
    table = context_parts_table(contexts(), MATCHED, published, INTERVALS)
    rows = rows_of(table)
    everyone = [per_token(question) for question in (2, 4, 40, 80)]
    assert rows["backtrack"]["mean"] == pytest.approx(np.mean(everyone))
    matched = np.mean([per_token(2), per_token(4)])
    assert rows["matched"]["mean"] == pytest.approx(matched)
    assert rows["matched"]["mean"] < rows["backtrack"]["mean"] - 0.5
    assert rows["control"]["mean"] == pytest.approx(1.0)
    assert rows["difference"]["mean"] == pytest.approx(matched - 1.0)
    assert rows["wrap_up"]["mean"] == pytest.approx(per_token(9))
    counts = {kind: (r["positions"], r["problems"]) for kind, r in rows.items()}
    assert counts == {
        "backtrack": (4, 4),
        "matched": (2, 2),
        "control": (2, 2),
        "difference": (2, 2),
        "wrap_up": (1, 1),
    }
    low, high = rows["difference"]["low"], rows["difference"]["high"]
    assert low < rows["difference"]["mean"] < high
    assert set(table.drop_nulls("published")["kind"]) == {"backtrack"}


def test_without_controls_there_are_no_pairs():
    given = contexts(["backtrack"])
    table = context_parts_table(given, MATCHED, Published(), INTERVALS)
    assert set(rows_of(table)) == {"backtrack"}
    assert set(overlap_table(given, MATCHED, Published(), 2, INTERVALS)["kind"]) == {
        "backtrack"
    }
    none = context_parts_table([], MATCHED, Published(), INTERVALS)
    assert none.is_empty()
    assert overlap_table([], MATCHED, Published(), 2, INTERVALS).is_empty()


def test_scores_by_layer_are_compared_within_pairs():
    rows = [
        {
            "trace": trace,
            "event": event,
            "problem": trace[0],
            "kind": kind,
            "position": 2,
            "metric_value": 0.0,
            "component": "resid",
            "layer": layer,
            "position_score": -10.0 * question,
            "scores": [question + layer, -question - layer],
        }
        for (trace, event, kind), question in QUESTION.items()
        for layer in (0, 1)
    ]
    table = layers_table(ATTRIBUTION.frame(rows), MATCHED, INTERVALS)
    found = {
        (row["kind"], row["quantity"]): row["mean"]
        for row in table.filter(layer=1).to_dicts()
    }
    assert found["backtrack", "earlier"] == pytest.approx(31.5 + 1)
    assert found["matched", "earlier"] == pytest.approx(3 + 1)
    assert found["control", "earlier"] == pytest.approx(1 + 1)
    assert found["difference", "earlier"] == pytest.approx(2)
    assert found["difference", "position"] == pytest.approx(20)


RUNS = 500


def paired_study(problems: int, distant: float, rng) -> tuple[pl.DataFrame, list]:
    """Positions and pairs: two pairs per problem, then a backtrack without a control.

    A share of the controls, `distant`, comes from other problems.
    """
    owners = np.repeat(np.arange(problems), 2)
    is_distant = rng.random(len(owners)) < distant
    partners = np.where(is_distant, rng.permutation(owners), owners)
    members = [
        ((f"{owner}/0", 2 * k, 8), (f"{partner}/0", 2 * k + 1, 8))
        for k, (owner, partner) in enumerate(zip(owners, partners, strict=True))
    ]
    rows = [
        *((*backtrack[:2], "backtrack") for backtrack, _ in members),
        *((*control[:2], "control") for _, control in members),
        *((f"{k}/0", 1000, "backtrack") for k in range(problems)),
    ]
    schema = {"trace": pl.String, "event": pl.Int32, "kind": pl.String}
    positions = pl.DataFrame(rows, schema=schema, orient="row")
    return positions.with_columns(problem=pl.col("trace").str.head(-2)), members


@pytest.mark.parametrize("effect", [0.0, 1.0])
@pytest.mark.parametrize(("problems", "distant"), [(10, 0.0), (40, 0.0), (40, 0.5)])
def test_claims_of_a_difference_within_pairs(problems, distant, effect):
    """Skewed values that share a part within their problem, 500 studies at once.

    The backtracks without a control have values that are 2 higher.
    """
    rng = np.random.default_rng(3)
    positions, members = paired_study(problems, distant, rng)
    shared = rng.normal(size=(problems, RUNS))
    values = shared[positions["problem"].cast(pl.Int64).to_numpy()]
    values += rng.lognormal(sigma=0.5, size=values.shape)
    values[: len(members)] += effect
    values[-problems:] += 2
    order = rng.permutation(len(values))
    matches = MATCHES.frame(pair_rows("backtrack_control", members))
    means = {
        kind: mean_rows(of_kind, clusters, IntervalSettings())
        for kind, of_kind, clusters in by_kind(values[order], positions[order], matches)
    }
    overall = {kind: np.mean([m["mean"] for m in rows]) for kind, rows in means.items()}
    assert overall["difference"] == pytest.approx(effect, abs=0.05)
    # All backtracks against all controls are not like with like.
    naive = overall["backtrack"] - overall["control"]
    assert naive == pytest.approx((2 * effect + 2) / 3, abs=0.1)
    claims = np.mean([m["low"] > 0 or m["high"] < 0 for m in means["difference"]])
    if effect:
        assert claims > 0.9
    else:
        # Distant controls make the interval wider than it need be.
        assert (0 if distant else 0.02) <= claims <= 0.08
