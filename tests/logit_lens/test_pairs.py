"""Backtracks beside their controls: within pairs, and what a plain mean would claim."""

import numpy as np
import polars as pl
import pytest
from tiny_matches import pair_rows

from doubletake.stats.intervals import IntervalSettings
from logit_lens.page_pairs import more_at
from logit_lens.pairs import readings_of
from logit_lens.summarise import leading_boundaries, parts_table, summarise
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_LEADING,
    LOGIT_LENS_PARTS,
    LOGIT_LENS_RANDOM,
    LOGIT_LENS_SUMMARY,
)
from matches.tables import MATCHES

INTERVALS = IntervalSettings(least_problems=2)
WORD, OTHER = 1, 7
SIMULATIONS = 500
UNLIKE = ("backtrack", "control")


def matches_of(pairs):
    rows = [
        tuple((trace, event, event) for trace, event in members) for members in pairs
    ]
    return MATCHES.frame(pair_rows("backtrack_control", rows))


def position(trace, event, kind, leads, logits):
    """Rows of a position: two boundaries, and one layer of parts.

    Args:
        trace: id; its problem stands before the slash.
        event: number.
        kind: of the event.
        leads: whether the word leads, at every boundary.
        logits: of embedding, attention and MLP.
    """
    parts = dict(zip(("embed", "attn_out", "mlp_out"), logits, strict=True))
    values = [("resid", layer, sum(logits)) for layer in range(len(leads))]
    values += [(part, 0, value) for part, value in parts.items()]
    return [
        {"trace": trace, "problem": trace.split("/")[0], "event": event, "kind": kind}
        | {"component": component, "layer": layer, "backtrack": value}
        | {"wrap_up": -value, "vocabulary": 10.0, "backtrack_equal": value / 2}
        | {"backtrack_logprob": -1.0 if component == "resid" else None}
        | {"top_ids": tops_of(leads[layer]) if component == "resid" else None}
        for component, layer, value in values
    ]


def tops_of(leads):
    return [WORD if leads else OTHER]


@pytest.fixture(scope="module")
def constructed():
    """Three backtracks; the third has no control, and the largest logits.

    Pairs: a/0 with a control of its own thought, b/0 with one of problem d.
    """
    rows = [
        *position("a/0", 1, "backtrack", (False, True), (0.0, 1.0, 2.0)),
        *position("a/0", 2, "control", (False, True), (0.0, 0.5, 2.5)),
        *position("b/0", 1, "backtrack", (False, True), (0.0, 2.0, 3.0)),
        *position("d/1", 5, "control", (True, False), (0.0, 0.5, 3.5)),
        *position("c/0", 1, "backtrack", (True, True), (0.0, 30.0, 40.0)),
        *position("c/0", 9, "wrap_up", (True, True), (0.0, 50.0, 50.0)),
    ]
    pairs = [
        (("a/0", 1), ("a/0", 2)),
        (("b/0", 1), ("d/1", 5)),
        (("c/0", 1), ("z/0", 3)),  # this control is not among the positions
    ]
    return readings_of(LOGIT_LENS.frame(rows), matches_of(pairs), [WORD])


def drawn_groups(readings):
    """Random groups at the kinds that `measure` reads."""
    keys = readings.select("kind", "component", "layer").unique().sort(pl.all())
    measured = keys.filter(pl.col("kind").is_in(["backtrack", "control", "wrap_up"]))
    draws = measured.with_columns(draw=pl.lit(0, pl.Int32), mean=pl.lit(0.0))
    return LOGIT_LENS_RANDOM.check(draws)


def by_kind(table, **at):
    return table.filter(**at).rows_by_key("kind", named=True, unique=True)


def test_pairs_are_compared_and_not_all_backtracks(constructed):
    summary = summarise(constructed, drawn_groups(constructed), INTERVALS)
    LOGIT_LENS_SUMMARY.check(summary)
    at = {"component": "attn_out", "group": "backtrack", "logit": "centred"}
    rows = by_kind(summary, **at)
    assert {kind: (row["mean"], row["positions"]) for kind, row in rows.items()} == {
        "backtrack": (11.0, 3),  # (1 + 2 + 30) / 3
        "matched": (1.5, 2),
        "control": (0.5, 2),
        "difference": (1.0, 2),  # not 11 - 0.5
        "wrap_up": (50.0, 1),
    }
    assert {row["problems"] for kind, row in rows.items() if kind != "wrap_up"} == {
        2,
        3,
    }
    assert {kind for kind, row in rows.items() if row["random"] is None} == {
        "matched",
        "difference",
    }
    raw = by_kind(summary, **(at | {"logit": "raw"}))
    assert raw["matched"]["mean"] == 11.5
    assert raw["difference"]["mean"] == 1.0  # what all words get cancels
    wrap_up = by_kind(summary, **(at | {"group": "wrap_up"}))
    assert wrap_up["difference"]["mean"] == -1.0


def test_parts_are_compared_within_pairs(constructed):
    parts = parts_table(constructed, drawn_groups(constructed), INTERVALS)
    LOGIT_LENS_PARTS.check(parts)
    rows = {
        (row["part"], row["logit"]): row
        for row in parts.filter(kind="difference").iter_rows(named=True)
    }
    assert rows["attn_out", "centred"]["mean"] == 1.0  # 0.5 and 1.5
    assert rows["mlp_out", "centred"]["mean"] == -0.5
    assert rows["difference", "centred"]["mean"] == 1.5
    assert rows["attn_out", "equal"]["mean"] == 0.5
    assert rows["attn_out", "centred"]["random"] is None
    assert {row["positions"] for row in rows.values()} == {2}


def test_shares_are_compared_within_pairs(constructed):
    leading = leading_boundaries(constructed, INTERVALS)
    LOGIT_LENS_LEADING.check(leading)
    first, last = (by_kind(leading, boundary=k) for k in (0, 1))
    names = ("backtrack", "matched", "control", "difference")
    shares = [[rows[kind]["share_leading"] for kind in names] for rows in (first, last)]
    assert shares[0] == pytest.approx([1 / 3, 0, 0.5, -0.5])
    assert shares[1] == pytest.approx([1, 1, 0.5, 0.5])
    # Differences lie from -1 to 1; they count no positions.
    assert first["difference"]["low"] < 0
    begins = [(r["matched"], r["difference"]) for r in (first, last)]
    counted = [[row["leading_to_the_end"] for row in rows] for rows in begins]
    assert counted == [[0, None], [2, None]]


def test_differences_are_those_of_both_means(readings, lens):
    """In a study whose turns were selected as every study's are."""
    leading = leading_boundaries(readings, INTERVALS)
    for (_,), rows in leading.group_by("boundary"):
        of = rows.rows_by_key("kind", named=True, unique=True)
        assert of["backtrack"]["positions"] > of["matched"]["positions"]
        counts = {
            of[kind]["positions"] for kind in ("matched", "control", "difference")
        }
        assert len(counts) == 1
        expected = of["matched"]["share_leading"] - of["control"]["share_leading"]
        assert of["difference"]["share_leading"] == pytest.approx(expected)
    own = pl.col("kind").is_in(["matched", "difference"])
    assert readings.filter(~own).height == lens.height


def simulated(effect):
    """A study of 40 problems with 500 layers, each a simulation on its own.

    Every problem has its own level. It has a pair with a control of its own, a pair
    with a control of another problem, and a backtrack that has lost its control and has
    more of everything, with and without an effect.

    Args:
        effect: of turning back, on logits of attention with standard deviation 1 and
            (divided by 4) on the share at which the word leads.
    """
    rng = np.random.default_rng(11)
    levels, others = rng.normal(size=(40, SIMULATIONS)), rng.permutation(40)
    rows, pairs = [], []
    for number, other in enumerate(others):
        for event, where in ((1, number), (2, other), (3, None)):
            back, lost = (f"{number}/0", event), 2.0 * (where is None)
            rows.append(draws(*back, "backtrack", levels[number] + lost + effect, rng))
            if where is not None:
                control = (f"{where}/1", event)
                pairs.append((back, control))
                rows.append(draws(*control, "control", levels[where], rng))
    lens = pl.concat(rows).select(list(LOGIT_LENS.schema))
    return readings_of(LOGIT_LENS.check(lens), matches_of(pairs), [WORD])


def draws(trace, event, kind, mean, rng):
    """A reading of attention and a leading word in every simulation."""
    leads = rng.random(SIMULATIONS) < np.clip(0.4 + mean / 4, 0.05, 0.95)
    layers = pl.int_range(SIMULATIONS, dtype=pl.Int32, eager=True)
    values = pl.Series(mean + rng.normal(size=SIMULATIONS))
    tops = pl.Series(np.where(leads, WORD, OTHER)[:, None].tolist())
    part = pl.DataFrame({"layer": layers, "backtrack": values}).with_columns(
        trace=pl.lit(trace),
        problem=pl.lit(trace.split("/")[0]),
        event=pl.lit(event, pl.Int32),
        kind=pl.lit(kind),
        wrap_up=pl.lit(0.0),
        vocabulary=pl.lit(0.0),
        backtrack_equal=pl.lit(0.0),
        backtrack_logprob=pl.lit(None, pl.Float64),
    )
    resid = part.with_columns(
        component=pl.lit("resid"), top_ids=tops.cast(pl.List(pl.Int32))
    )
    attention = part.with_columns(
        component=pl.lit("attn_out"), top_ids=pl.lit(None, pl.List(pl.Int32))
    )
    return pl.concat([resid, attention])


@pytest.mark.parametrize(("effect", "least", "most"), [(0, 0.01, 0.08), (1, 0.8, 1)])
def test_the_difference_is_claimed_at_the_nominal_rate(effect, least, most):
    """500 studies, in which the backtracks without a control are unlike the others."""
    readings = simulated(effect)
    leading = leading_boundaries(readings, IntervalSettings())
    summary = summarise(readings, drawn_groups(readings), IntervalSettings())
    logits = summary.filter(component="attn_out", group="backtrack", logit="centred")
    for table in (leading, logits):
        rows = table.filter(kind="difference").rows(named=True)
        assert len(rows) == SIMULATIONS
        claims = [more_at(row) for row in rows]
        assert least <= np.mean([side is not None for side in claims]) <= most
        if effect:
            assert "control" not in claims
    means = [logits.filter(kind=kind).sort("layer")["mean"] for kind in UNLIKE]
    # All backtracks against controls: a third of them has 2 more, without any effect.
    assert (means[0] - means[1] - effect).mean() == pytest.approx(2 / 3, abs=0.05)
