"""Effects against random sets on made-up numbers: p-values, false claims, power."""

import numpy as np
import polars as pl
import pytest
from tiny_ablation_tables import (
    PLACES,
    place_rows,
    study,
    text_row,
    version_row,
)

from ablation.rates import decoded_rates
from ablation.summarise import effects_of
from ablation.tables import (
    ABLATION,
    ABLATION_DECODED,
    ABLATION_SETS,
    ABLATION_VERSIONS,
)
from ablation.targets import LEVEL
from ablation.wording import LOWERS, verdict
from doubletake.stats.intervals import IntervalSettings

INTERVALS = IntervalSettings(0.95, 10)


def test_p_is_the_rank_among_random_sets_and_holm_counts_the_claims():
    rng = np.random.default_rng(0)
    random = 0.4 + 0.01 * rng.standard_normal((99, 1)) + np.zeros(PLACES)
    low, middle = np.full(PLACES, 0.2), np.full(PLACES, np.median(random[:, 0]))
    low = low + 0.001 * rng.standard_normal(PLACES)
    tables = study({"leading_units": (low, random), "aligned_units": (middle, random)})
    first, second = effects_of(*tables, INTERVALS).to_dicts()
    assert (first["random_as_low"], first["p"]) == (0, pytest.approx(0.01))
    assert first["p_holm"] == pytest.approx(0.02)
    assert second["random_as_low"] == 50
    assert second["p_holm"] == pytest.approx(0.51)
    assert first["change"] == pytest.approx(low.mean() - 0.4)
    assert first["over_random"] == pytest.approx(low.mean() - random.mean())
    assert first["written_ratio"] == 2
    assert first["random_least"] == pytest.approx(np.quantile(random[:, 0], 0.025))
    assert (first["boundaries"], first["problems"]) == (PLACES, PLACES)
    assert first["within_draws"] is None


def test_both_nulls_of_a_direction_must_be_beaten():
    places = place_rows("none", "named", [0.4] * PLACES)
    row = version_row("probe", 4, "project")
    places += place_rows("probe/every/project", "named", [0.3] * PLACES)
    sets = []
    for null, values in (("random", [0.4] * 99), ("within", [0.2] * 50 + [0.5] * 49)):
        places += place_rows(
            "directions/every/project", null, [np.mean(values)] * PLACES
        )
        sets += [
            {"ablation": "directions/every/project", "null": null, "draw": draw + 1}
            | {"layers": [0], "members": [], "written": None, "boundaries": PLACES}
            | {"turn_probability": value}
            for draw, value in enumerate(values)
        ]
    (found,) = effects_of(
        ABLATION.frame(places),
        ABLATION_VERSIONS.frame([row]),
        ABLATION_SETS.frame(sets),
        INTERVALS,
    ).to_dicts()
    assert (found["random_as_low"], found["within_as_low"]) == (0, 50)
    assert found["p"] == pytest.approx(0.51)


def claims(rng, shift, tests=5):
    """Which of the targets are claimed in a simulated study."""
    draws = 40 * tests
    plain = rng.uniform(0.2, 0.6, PLACES)
    targets = {}
    names = ("leading_units", "aligned_units", "supporting_units")
    for number, target in enumerate((*names, "looking_heads", "supporting_heads")):
        effects = 0.03 * rng.standard_t(3, (draws + 1, 1))
        values = plain + effects + 0.02 * rng.standard_normal((draws + 1, PLACES))
        values[0] += shift if number == 0 else 0
        targets[target] = (values[0], values[1:])
    rows = effects_of(*study(targets, plain), INTERVALS).to_dicts()
    return [verdict(row, is_enough=True) == LOWERS for row in rows]


def test_random_sets_are_rarely_claimed_and_a_known_effect_is_found():
    rng = np.random.default_rng(7)
    null = [any(claims(rng, 0.0)) for _ in range(60)]
    assert sum(null) <= 60 * LEVEL + 3 * (60 * LEVEL * (1 - LEVEL)) ** 0.5
    found = [claims(rng, -0.6)[0] for _ in range(10)]
    assert sum(found) >= 9


def test_a_set_below_random_ones_that_are_high_is_no_lower_rate():
    """Random sets raise the rate; the ablation leaves it as it is."""
    rng = np.random.default_rng(3)
    plain = rng.uniform(0.2, 0.6, PLACES)
    own = plain + 0.01 * rng.standard_normal(PLACES) + 0.01
    random = plain + 0.3 + np.zeros((99, 1))
    (row,) = effects_of(
        *study({"leading_units": (own, random)}, plain), INTERVALS
    ).to_dicts()
    assert row["p_holm"] <= LEVEL
    assert verdict(row, is_enough=True) != LOWERS


def test_empty_tables_give_empty_summaries():
    tables = (ABLATION, ABLATION_VERSIONS, ABLATION_SETS)
    empty = [table.frame([]) for table in tables]
    assert effects_of(*empty, INTERVALS).is_empty()
    absent = ABLATION_VERSIONS.frame([version_row("probe", why_not="no direction")])
    assert effects_of(empty[0], absent, empty[2], INTERVALS).is_empty()
    assert decoded_rates(ABLATION_DECODED.frame([]), INTERVALS).is_empty()


def test_rates_are_paired_with_the_texts_without_an_ablation():
    name = "leading_units/20/zero"
    rows = []
    for k in range(12):
        rows.append(text_row("continuation", "none", k, backtracks=2 * (k < 6)))
        rows.append(text_row("thought", "none", k, backtracks=k % 3))
    for k in reversed(range(12)):
        low = {"logprob": -1.5 - 0.01 * k}
        rows.append(text_row("continuation", name, k, backtracks=int(k < 3), **low))
        change = {"correct": k > 2, "closed": k > 0, "loops": k == 0, "tokens": 100}
        rows.append(text_row("thought", name, k, **low, **change))
    found = decoded_rates(ABLATION_DECODED.frame(rows), INTERVALS)
    plain, short, whole, long = found.to_dicts()
    assert (plain["ablation"], plain["turns"]) == ("none", 0.5)
    assert plain["turns_change"] is None
    assert (short["turns"], short["turns_change"]) == (0.25, -0.25)
    assert short["logprob_change"] == pytest.approx(-0.5 - 0.055)
    assert short["accuracy"] is None
    assert whole["turns"] == pytest.approx(2)  # 12 backtracks in 600 tokens
    assert (long["turns"], long["turns_change"]) == (0, pytest.approx(-1))
    assert (long["accuracy"], long["accuracy_change"]) == (0.75, -0.25)
    assert (long["unclosed"], long["loops"], long["n"]) == (1, 1, 12)
    assert isinstance(found, pl.DataFrame)
