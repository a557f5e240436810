"""Figures of agreement against closed forms."""

import math

import numpy as np
import polars as pl
import pytest

from attribution.agreement import TOP, agreement, figures_of


def cells_of(found, wanted, group: str = "a") -> pl.DataFrame:
    count = len(found)
    return pl.DataFrame(
        {
            "trace": [group] * count,
            "event": [0] * count,
            "part": ["resid"] * count,
            "layer": [0] * count,
            "gradient": np.asarray(found, dtype=float),
            "exact": np.asarray(wanted, dtype=float),
        }
    )


def test_figures_equal_those_of_numpy():
    rng = np.random.default_rng(0)
    wanted = rng.normal(size=24)
    found = wanted + rng.normal(size=24)
    (row,) = agreement(cells_of(found, wanted), "gradient", ["trace"]).to_dicts()
    assert row["pearson"] == pytest.approx(np.corrcoef(found, wanted)[0, 1])
    ranks = [np.argsort(np.argsort(values)) for values in (found, wanted)]
    assert row["spearman"] == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert row["sign"] == pytest.approx(np.mean(found * wanted > 0))
    tops = [set(np.argsort(-np.abs(v))[:TOP]) for v in (found, wanted)]
    assert row["recall"] == pytest.approx(len(tops[0] & tops[1]) / TOP)
    assert row["n"] == 24


def test_what_is_not_defined_is_null():
    constant = agreement(cells_of([1, 1, 1, 1], [1, 2, 3, 4]), "gradient", ["trace"])
    assert constant["pearson"].to_list() == constant["spearman"].to_list() == [None]
    assert constant["recall"].to_list() == [None]
    two = agreement(cells_of([1, 2], [2, 1]), "gradient", ["trace"])
    assert two["pearson"].to_list() == [None]
    assert two["sign"].to_list() == [1.0]


def test_cells_without_an_estimate_are_left_out():
    some = cells_of([1, 2, 4, 3], [1, 2, 3, 4])
    none = some.with_columns(gradient=pl.lit(None, pl.Float64), trace=pl.lit("b"))
    both = agreement(pl.concat([some, none]), "gradient", ["trace"])
    assert both.equals(agreement(some, "gradient", ["trace"]))
    assert figures_of(none, "gradient", True) == []


def test_figures_of_are_means_over_decisions():
    rng = np.random.default_rng(1)
    groups = [cells_of(rng.normal(size=12), rng.normal(size=12), k) for k in "ab"]
    whole = pl.concat(groups)
    rows = {row.statistic: row for row in figures_of(whole, "gradient", True)}
    single = [
        agreement(group, "gradient", ["trace"]).row(0, named=True) for group in groups
    ]
    for key, name in (("pearson", "mean Pearson correlation"), ("sign", "equal signs")):
        assert rows[name].value == pytest.approx(
            math.fsum(one[key] for one in single) / 2
        )
        assert rows[name].n == 2
    assert rows["equal signs"].check.endswith("exact patching, layer 0")


def test_no_cells_give_no_rows():
    assert (
        figures_of(cells_of([], []).cast({"layer": pl.Int32}), "gradient", True) == []
    )
