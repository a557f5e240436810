"""Published claims on the filter, probes, value vectors and words, recomputed."""

from math import comb

import numpy as np
import pytest
from tiny_reproduction import run_with

from reproduction import insides, words
from reproduction.run import NotMeasured

DEPTH = (6 / 32, 30 / 32)
KEPT = [{"contrast": "backtrack_wrap_up", "left_out": None}]


def test_the_filter_is_of_first_backtracks():
    turns = [
        {"kind": kind, "ordinal": k, "problem": f"{n}", "is_word": n % 4 == 0}
        for n in range(40)
        for kind, k in (("backtrack", 1), ("backtrack", 2), ("control", 1))
    ]
    for one in turns:
        one["is_word"] |= one["ordinal"] == 2 or one["kind"] == "control"
    found = insides.filter_share(run_with(turns=turns))
    assert (found.value, found.cases, found.problems) == (0.25, 40, 40)
    assert found.low < 0.25 < found.high


def probes(aurocs, *, above=-0.1, contrast="backtrack_wrap_up"):
    return [
        {
            **{"contrast": contrast, "boundary": k, "auroc": auroc, "cases": 60},
            **{"problems": 30, "selectivity_low_of_all": auroc - 0.5 + above},
        }
        for k, auroc in enumerate(aurocs)
    ]


def unmatched(aurocs, low=-0.05):
    return [
        {
            **{"boundary": k, "auroc": auroc, "auroc_low": low and auroc + low},
            **{"cases": 80, "problems": 40},
        }
        for k, auroc in enumerate(aurocs)
    ]


def test_the_best_boundary_is_that_of_the_contrast_and_of_the_recipe():
    rows = probes([0.5, 0.9, 0.7]) + probes([0.99] * 3, contrast="backtrack_control")
    tables = {
        "probing": rows,
        "probing__contrasts": KEPT,
        "unmatched_probes": unmatched([0.5, 0.6, 0.7]),
    }
    found = insides.best_boundary(run_with(**tables))
    assert (found.value, found.cases, found.table) == (1, 60, "probing")
    assert found.note == "the last is 2; AUROC 0.90"
    found = insides.best_boundary(run_with(published=True, **tables))
    assert (found.value, found.cases, found.table) == (2, 80, "unmatched_probes")


@pytest.mark.parametrize(
    ("inside", "published", "ours"),
    [(0.9, True, True), (0.58, True, False), (0.5, False, False)],
)
def test_recipes_ask_for_more_than_half_of_the_boundaries(inside, published, ours):
    """Boundaries 0, 1, 2 and 16 of 16 lie outside of the published range."""
    aurocs = [0.99, 0.99, 0.99, *[inside] * 13, 0.99]
    tables = {"probing": probes(aurocs), "probing__contrasts": KEPT}
    for recipe, holds in ((True, published), (False, ours)):
        run = run_with(published=recipe, unmatched_probes=unmatched(aurocs), **tables)
        found = insides.told_boundaries(run, DEPTH)
        assert found.cases == 13
        assert found.holds is holds


def test_probes_that_were_left_out_say_why():
    left_out = [{"contrast": "backtrack_wrap_up", "left_out": "2 matched pair(s)"}]
    ours = run_with(probing=probes([0.5]), probing__contrasts=left_out)
    theirs = run_with(published=True, unmatched_probes=[])
    pairs = ((ours, r"2 matched pair\(s\)"), (theirs, "too few problems"))
    for run, reason in pairs:
        with pytest.raises(NotMeasured, match=reason):
            insides.best_boundary(run)
        with pytest.raises(NotMeasured, match=reason):
            insides.told_boundaries(run, DEPTH)


def test_probes_without_intervals_tell_nothing():
    rows = unmatched([0.9] * 9, low=None)
    run = run_with(published=True, unmatched_probes=rows)
    with pytest.raises(NotMeasured, match="no boundary of the published range"):
        insides.told_boundaries(run, DEPTH)


WORDS = [{"group": "backtrack", "token_id": 7}, {"group": "wrap_up", "token_id": 8}]


def vectors(hits, others, n=20):
    """Listed vectors of both sides, some of which write a backtrack word."""
    return [
        {
            **{"side": side, "layer": 1, "vector": k, "tokens_for": [" wait", "so"]},
            "token_ids_for": [7 if k < some else 8],
        }
        for side, some in (("for", hits), ("against", others))
        for k in range(n)
    ]


@pytest.mark.parametrize(("hits", "others"), [(9, 2), (5, 3), (2, 6), (0, 0)])
def test_vectors_for_turning_back_are_compared_with_those_against(hits, others):
    run = run_with(turns__words=WORDS, value_vectors=vectors(hits, others))
    found = insides.vector_words(run)
    both = hits + others
    p = sum(
        comb(20, k) * comb(20, both - k) for k in range(hits, min(both, 20) + 1)
    ) / comb(40, both)
    assert found.holds is (p <= 0.05)
    assert found.value == pytest.approx((hits - others) / 20)
    assert found.note.startswith(f"{hits} of 20 for, {others} of 20 against")


def test_words_at_random_are_seldom_claimed():
    rng = np.random.default_rng(0)
    counts = rng.binomial(20, 0.3, size=(150, 2))
    claims = [
        insides.vector_words(
            run_with(turns__words=WORDS, value_vectors=vectors(*pair))
        ).holds
        for pair in counts.tolist()
    ]
    assert np.mean(claims) <= 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5


def test_vectors_of_another_contrast_say_nothing_of_turning_back():
    sections = {"value_vectors": {"contrast": "right_arrival"}}
    run = run_with(sections=sections, turns__words=WORDS, value_vectors=vectors(9, 0))
    with pytest.raises(NotMeasured, match="right_arrival"):
        insides.vector_words(run)


def test_a_published_vector_is_listed_or_not():
    run = run_with(value_vectors=vectors(0, 0))
    assert insides.listed_vector(run, 1, 19).value == 1
    assert insides.listed_vector(run, 1, 0).note == "first: layer 1, vector 0: wait, so"
    assert insides.listed_vector(run, 1, 20).value == 0
    assert insides.listed_vector(run, 2, 19).value == 0


def parts(means, half=0.02, kind="backtrack", quantity="peak"):
    return [
        {
            **{"kind": kind, "quantity": quantity, "context_part": k, "mean": mean},
            **{"low": mean - half, "high": mean + half},
            **{"positions": 50, "problems": 40},
        }
        for k, mean in enumerate(means)
    ]


PUBLISHED = [0.63, 0.16, 0.14, 0.21, 0.38, 0.77]


@pytest.mark.parametrize(
    ("means", "half", "last", "question"),
    [
        (PUBLISHED, 0.02, True, True),
        (PUBLISHED, 0.08, False, True),
        ([0.55, 0.24, 0.29, 0.43, 0.63, 0.77], 0.02, True, False),
        ([0.8, 0.24, 0.29, 0.43, 0.63, 0.77], 0.01, False, True),
    ],
)
def test_a_part_counts_most_if_its_interval_lies_above_all_others(
    means, half, last, question
):
    rows = parts(means, half) + parts([9.0] * 6, kind="control")
    rows += parts([9.0] * 6, quantity="token")
    run = run_with(attribution__context_parts=rows)
    assert words.last_part(run).holds is last
    assert words.last_part(run).value == means[5]
    assert words.question_part(run).holds is question
    assert words.context_part(run, 2).value == means[2]


def test_the_overlap_stands_beside_that_of_other_words():
    rows = [
        {
            **{"kind": "backtrack", "words": name, "mean": mean, "low": mean - 0.1},
            **{"high": mean + 0.1, "positions": 50, "problems": 40},
        }
        for name, mean in (("important", 0.41), ("matched", 0.6))
    ]
    found = words.overlap(run_with(attribution__overlap=rows))
    assert found.value == 0.41
    assert "60.0% (50.0% to 70.0%)" in found.note
