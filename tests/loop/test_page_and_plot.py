"""The sentences follow from the tests; a study without events says so."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from tiny_loop import INTERVALS, loop_rows, ranked, study

from loop.declaration import DECLARATION
from loop.matrix import cell_of, short
from loop.methods import CAUSE, EXACT, MAX_ABS, SAME_EVENTS
from loop.page import SECTION
from loop.plot import draw_agreement, draw_causes
from loop.tables import LOOP

X = np.random.default_rng(5).normal(size=60)
NOISE = np.random.default_rng(6).normal(size=60)


def text_of(data):
    return " ".join([SECTION.headline(data), *SECTION.findings(data)])


def test_a_pair_that_agrees_is_named_with_its_events():
    text = text_of(study(loop_rows(60, probe=X, rate=X + 0.3 * NOISE)))
    assert "1 is related beyond chance at 60 backtracks" in text
    assert (
        "the resampled probability of turning with the probe\u2019s score (\u03c1 0.9"
        in text
    )
    assert "60 backtracks); the strongest" not in text
    assert "put the backtracks in a similar order" in text
    assert "put them in opposite orders" not in text


def test_opposite_orders_are_not_called_agreement():
    text = text_of(study(loop_rows(60, probe=X, rate=-X + 0.3 * NOISE)))
    assert "1 pair of methods put them in opposite orders" in text
    assert "put the backtracks in a similar order" not in text
    assert "the resampled probability of turning and the probe\u2019s score" in text


def test_expected_pairs_without_agreement_are_named():
    text = text_of(study(loop_rows(60, 3)))
    assert text.startswith("None of ")
    assert "One would expect these pairs to agree, but it is not shown: " in text
    assert (
        "the model\u2019s log-odds of a turn and the probe\u2019s score (\u03c1" in text
    )


def test_few_problems_and_no_events_are_not_checked():
    few = study(loop_rows(9))
    assert SECTION.headline(few) == (
        "Not checked: the 9 backtracks of the study lie on 9 problems, too few for a "
        "test of any pair of methods."
    )
    empty = study(LOOP.frame([]))
    assert SECTION.headline(empty) == (
        "Not measured: the study has no selected backtrack."
    )
    assert SECTION.findings(empty) == SECTION.sheets(empty) == []
    for data in (few, empty):
        assert all(cases(data) for cases in SECTION.cases.values())


@pytest.mark.parametrize(("hits", "verdict"), [(16, "more than that"), (7, "not told")])
def test_the_causes_are_set_against_chance_and_like_words(hits, verdict):
    data = study(loop_rows(20), {MAX_ABS: ranked(20, hits)})
    text = text_of(data)
    assert f"first 3 words at {hits} of 20 backtracks" in text
    assert f"in random order 30.0%, {verdict}" in text
    few = study(loop_rows(20), {EXACT: ranked(9, 9), SAME_EVENTS: ranked(9, 9)})
    assert "in random order 30.0%, not checked" in text_of(few)
    assert "same words at 9 backtracks: not checked: 9 problems." in text_of(few)


def test_exact_patching_and_the_estimate_are_compared_at_the_same_backtracks():
    for hits, verdict in ((4, "more often than"), (15, "neither more nor less often")):
        rankings = {EXACT: ranked(20, 16), SAME_EVENTS: ranked(20, hits)}
        assert f"finds the cause {verdict}" in text_of(study(loop_rows(20), rankings))
    rankings = {EXACT: ranked(20, 2), SAME_EVENTS: ranked(20, 18)}
    assert "the cause less often than" in text_of(study(loop_rows(20), rankings))


def test_interventions_are_set_beside_random_ones():
    steering = 0.5 + 0.1 * NOISE
    data = study(loop_rows(60, steering=steering, steering_random=0.0 * X))
    (sentence,) = [s for s in SECTION.findings(data) if s.startswith("The added")]
    assert "raises the log-odds of a turn by 0.5" in sentence
    assert "not told from 0" not in sentence
    same = study(loop_rows(60, steering=X, steering_random=X + 0.1 * NOISE))
    (sentence,) = [s for s in SECTION.findings(same) if s.startswith("The added")]
    assert "not told from 0" in sentence
    # Alone it would be told; the correction counts all three interventions.
    shifted = (NOISE - NOISE.mean()) / NOISE.std() + 0.28
    near = study(loop_rows(60, steering=shifted, steering_random=0.0 * X))
    (row,) = near.tables["loop/means"].filter(column="steering_gain").to_dicts()
    assert row["low"] > 0
    assert row["p"] < 0.05 < row["p_holm"]
    (sentence,) = [s for s in SECTION.findings(near) if s.startswith("The added")]
    assert "not told from 0" in sentence
    none = study(loop_rows(60, steering=[None] * 60, steering_random=[None] * 60))
    assert not [s for s in SECTION.findings(none) if s.startswith("The added")]


def test_mended_and_spoiled_answers_are_counted():
    flags = {"shifted": X > 0, "mended": X > 1, "spoiled": X < -1}
    text = text_of(study(loop_rows(60, **flags)))
    assert f"differs before and after {100 * (X > 0).mean():.1f}%" in text
    assert f"mends a wrong answer in {100 * (X > 1).mean():.1f}%" in text
    assert f"spoils a right one in {100 * (X < -1).mean():.1f}%" in text


def test_what_follows_the_planted_cause_is_named():
    has = np.arange(60) % 2 == 0
    data = study(loop_rows(60, has_cause=has, top_score=3.0 * has + NOISE))
    text = text_of(data)
    assert "1 of 17 methods is higher at backtracks with a planted cause" in text
    assert "the top word\u2019s estimated score (AUROC 0.9" in text
    assert "None of 17 methods is shown to follow the planted probability" in text


def test_an_opposite_order_is_not_called_following():
    has = np.arange(60) % 2 == 0
    columns = {"confidence": -3.0 * has + NOISE, "planted": 1.0 * has}
    cause = np.where(has, "slip", "none")
    text = text_of(study(loop_rows(60, has_cause=has, cause=cause, **columns)))
    assert "None of 17 methods is shown to be higher at backtracks with" in text
    assert "None of 17 methods is shown to follow the planted probability" in text
    for way in ("lower at backtracks with a cause", "lower where it is higher"):
        assert (
            f"1 of 17 methods goes the opposite way, {way}: the confidence of" in text
        )
    assert "takes 2 values at these backtracks, one for each kind of cause. " in text
    assert "kind of cause and number of turns" not in text
    finer = columns | {"planted": has + 0.1 * (X > 0)}
    text = text_of(study(loop_rows(60, has_cause=has, cause=cause, **finer)))
    assert "takes 4 values at these backtracks, one for each kind of cause and" in text


def test_sheets_have_a_cell_for_every_column():
    data = study(loop_rows(30), {MAX_ABS: ranked(20, 10)})
    for sheet in SECTION.sheets(data):
        assert sheet.rows
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)}


def test_figures_are_drawn_with_and_without_data():
    full = study(
        loop_rows(30),
        {MAX_ABS: ranked(20, 10), EXACT: ranked(12, 4), SAME_EVENTS: ranked(12, 3)},
    )
    few = study(loop_rows(9), {MAX_ABS: ranked(9, 3)})
    for data in (full, few, study(LOOP.frame([]))):
        tables = data.tables
        pair = tables["loop/correlations"], tables["loop/planted"]
        assert isinstance(draw_agreement(*pair, 0.05), Figure)
        assert isinstance(draw_causes(tables["loop/causes"], 0.95), Figure)
    assert set(SECTION.cases) == {figure.name for figure in DECLARATION.figures}


def test_a_cell_shows_what_was_tested():
    pair = {"rho": 0.5, "rho_low": 0.1, "rho_high": 0.8, "n": 30, "p_holm": 0.04}
    assert cell_of(pair, "rho", 0.05, False)["claimed"]
    assert not cell_of(pair, "rho", 0.01, False)["claimed"]
    few = pair | {"rho_low": None, "rho_high": None, "p_holm": None}
    assert cell_of(few, "rho", 0.05, False)["value"] is None
    same = pair | {"p_holm": None}
    assert cell_of(same, "rho", 0.05, True) == {
        "value": 0.5,
        "n": 30,
        "claimed": False,
        "same": True,
    }
    cause = {"target": CAUSE, "value": 1.0, "value_low": 0.9, "n": 30, "p_holm": 0.0}
    assert cell_of(cause, "value", 0.05, False)["value"] == 1.0
    assert [short(v) for v in (0.587, -0.04, 1.0, -0.001, 0.0)] == [
        ".59",
        "\u2212.04",
        "1.00",
        ".00",
        ".00",
    ]
    assert INTERVALS.least_problems == 10
