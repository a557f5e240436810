"""Importance by hand, its signs, and its tests in simulated studies."""

from math import log

import numpy as np
import polars as pl
import pytest
from tiny_resampling import sentence, sentences

from doubletake.stats.intervals import IntervalSettings
from resampling.importance import (
    ImportanceSettings,
    ThoughtRollouts,
    difference_ends,
    divergence,
    null_divergence,
    sentence_row,
)
from resampling.kind_means import importance_table, sizes
from resampling.similarity import Similarity
from resampling.tables import RESAMPLING_ROLLOUTS
from resampling.thought_sentences import Sentence

TEXT = "2 + 2 = 4. So the answer is 4."
SENTENCE = Sentence(0, 0, 10, "other", None)
SETTINGS = ImportanceSettings(0.8, 0, 0.95)


def rollouts(before, after):
    """Rollouts of one thought; pairs of first sentence and answer."""
    rows = [
        {
            "trace": "1/0",
            "problem": "1",
            "before": point,
            "draw": draw,
            "text": text,
            "tokens": 9,
            "closed": True,
            "answer": answer,
            "correct": answer == "4",
        }
        for point, part in enumerate((before, after))
        for draw, (text, answer) in enumerate(part)
    ]
    return ThoughtRollouts(RESAMPLING_ROLLOUTS.frame(rows))


def test_importance_by_hand_with_its_signs():
    same, other = "2 + 2 = 4.", "Pears cost nothing."
    made = rollouts(
        [(same, "4"), (same, "5"), (other, "5"), (other, "4"), (other, "5")],
        [("So", "4"), ("So", "4"), ("So", "4"), ("So", "5")],
    )
    similarity = Similarity.of([same, other, "So the answer is 4."])
    trace = {"trace": "1/0", "problem": "1", "text": TEXT}
    row = sentence_row(trace, SENTENCE, made, similarity, {0: False, 1: True}, SETTINGS)
    assert (row["before"], row["after"], row["dissimilar"]) == (5, 4, 3)
    assert row["resampled"] == pytest.approx(3 / 4 - 2 / 5)
    assert row["counterfactual"] == pytest.approx(1 / 3 - 3 / 4)
    assert row["forced"] == 1.0
    assert row["resampled_low"] < row["resampled"] < row["resampled_high"]
    p, q = (np.array(counts) for counts in ([3 / 7, 4 / 7], [4 / 6, 2 / 6]))
    assert row["divergence"] == pytest.approx((p * np.log(p / q)).sum())


def test_without_unlike_rollouts_or_forced_answers_there_is_no_value():
    made = rollouts([("2 + 2 = 4.", "4")] * 3, [("So", "4")] * 3)
    similarity = Similarity.of(["2 + 2 = 4."])
    trace = {"trace": "1/0", "problem": "1", "text": TEXT}
    row = sentence_row(trace, SENTENCE, made, similarity, {1: True}, SETTINGS)
    assert row["counterfactual"] is row["forced"] is None
    assert row["divergence"] == row["divergence_null"] == 0
    last = Sentence(1, 11, 30, "other", None)
    assert sentence_row(trace, last, made, similarity, {}, SETTINGS) is None


def test_no_answer_is_an_answer_of_its_own():
    assert divergence(["4", None], ["4", "4"]) == pytest.approx(
        0.5 * log(0.5 / 0.75) + 0.5 * log(0.5 / 0.25)
    )
    assert divergence(["4", "5"], ["5", "4"]) == 0


def test_chance_alone_gives_the_null_divergence():
    rng = np.random.default_rng(0)
    found, null = [], []
    for k in range(300):
        answers = [str(value) for value in rng.integers(0, 3, 10)]
        found.append(divergence(answers[:5], answers[5:]))
        null.append(null_divergence(answers[:5], answers[5:], f"{k}", 0))
    assert np.mean(found) > 0.05
    assert np.mean(null) == pytest.approx(np.mean(found), abs=0.015)


def test_newcombe_s_interval():
    # Newcombe 1998, Statistics in Medicine 17:873, table II, 56/70 - 48/80, method 10.
    low, high = difference_ends((56, 70), (48, 80), 0.95)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_size_is_free_of_the_noise_of_the_rollouts():
    rng = np.random.default_rng(1)
    n, p, q = 4, 0.8, 0.5
    rows = [
        sentence(k, 0, "other", *(rng.binomial(n, [p, q]) / n), n=n)
        for k in range(20000)
    ]
    table = sizes(sentences(rows))
    for name in ("resampled_size", "counterfactual_size"):
        assert table[name].mean() == pytest.approx((p - q) ** 2, abs=0.006)


def study(rng, problems, effect):
    """Sentences of three kinds; backtracks raise the accuracy by `effect`."""
    rows = []
    for k in range(problems):
        base = rng.uniform(0.2, 0.8 - effect)
        for number, kind in enumerate(("other", "other", "arrival", "backtrack")):
            gain = effect if kind == "backtrack" else 0
            shares = rng.binomial(6, [base, base + gain]) / 6
            cause = bool(number == 0)
            rows.append(sentence(k, number, kind, *shares, n=6, cause=cause))
    return importance_table(sentences(rows), IntervalSettings())


def claims(table):
    known = table.drop_nulls("p_holm").filter(pl.col("p_holm") <= 0.05)
    return {(row["kind"], row["measure"]) for row in known.to_dicts()}


def test_without_an_effect_kinds_are_rarely_told_apart():
    rng = np.random.default_rng(2)
    assert sum(bool(claims(study(rng, 14, 0.0))) for _ in range(100)) <= 11


def test_a_known_effect_is_found():
    rng = np.random.default_rng(3)
    found = [claims(study(rng, 30, 0.4)) for _ in range(10)]
    assert sum(("backtrack", "resampled") in one for one in found) >= 9
    assert sum(("arrival", "resampled") in one for one in found) <= 1


def test_a_kind_on_few_problems_is_not_compared():
    rows = [sentence(k, 0, "other", 0.25, 0.25 + 0.25 * (k % 3)) for k in range(20)]
    rows += [sentence(k, 1, "backtrack", 0.0, 1.0) for k in range(3)]
    table = importance_table(sentences(rows), IntervalSettings())
    (row,) = table.filter(kind="backtrack", measure="resampled").to_dicts()
    assert row["difference"] > 0.5
    assert row["p"] is row["p_holm"] is row["difference_low"] is None
    assert "cause" not in table["kind"]
    assert importance_table(sentences([]), IntervalSettings()).is_empty()


def test_alike_sentences():
    texts = ["Max has 3 pears.", "Max has 4 pears.", "Let me check again."]
    similarity = Similarity.of(texts)
    assert similarity.cosine(texts[0], texts[0]) == pytest.approx(1)
    assert 0.3 < similarity.cosine(texts[0], texts[1]) < 0.9
    assert similarity.cosine(texts[0], texts[2]) == 0
    assert similarity.cosine("", texts[0]) == 0
    # A word that few sentences hold weighs more.
    assert similarity.weight("check") > similarity.weight("max")
