"""Exits: forced answers against one pass each, and calibration against its meaning."""

import numpy as np
import pytest
import torch
from planted_samples import planted, pocket_tokenizer, random_model

from pocket.exit_metrics import (
    Exits,
    ece,
    exit_metrics,
    exits_at_arrivals,
    exits_without_thought,
    forced,
)
from pocket.tokenizer import ANSWER_PROMPT, prompt_text

MODEL, TOKENIZER = random_model(), pocket_tokenizer()


def one_by_one(texts: list[str]) -> list[float]:
    """Probability of the most likely token after each text."""
    found = []
    for text in texts:
        parts = [text, ANSWER_PROMPT]
        ids = [i for p in parts for i in TOKENIZER.encode(p, add_special_tokens=False)]
        with torch.no_grad():
            logits = MODEL(torch.tensor([ids])).logits[0, -1]
        found.append(float(logits.softmax(-1).max()))
    return found


def test_exits_are_after_the_sentences_of_arrivals():
    thoughts = planted(12, seed=5)
    samples = [sample for _, sample in thoughts]
    texts = [
        prompt_text(sample.problem.question) + thought.text[:end]
        for thought, sample in thoughts
        for arrival in thought.arrivals
        for end in [thought.text.index(".", arrival.end) + 1]
    ]
    found = exits_at_arrivals(MODEL, TOKENIZER, samples).confidence
    assert len(found) == len(texts) > 12
    np.testing.assert_allclose(found, one_by_one(texts), atol=1e-5, rtol=0)


def test_exit_0_is_before_any_thought():
    problems = [sample.problem for _, sample in planted(9, seed=6)]
    texts = [prompt_text(problem.question) for problem in problems]
    found = exits_without_thought(MODEL, TOKENIZER, problems).confidence
    np.testing.assert_allclose(found, one_by_one(texts), atol=1e-5, rtol=0)


def test_an_answer_is_right_only_if_it_is_the_number():
    ids = TOKENIZER.encode("Tom has 12 pens.", add_special_tokens=False)
    answer = TOKENIZER.encode(ANSWER_PROMPT, add_special_tokens=False)
    with torch.no_grad():
        top = int(MODEL(torch.tensor([[*ids, *answer]])).logits[0, -1].argmax())
    text = TOKENIZER.decode([top])
    gold = int(text) if text.isdecimal() else 0
    assert list(forced(MODEL, TOKENIZER, [ids], [gold]).correct) == [text.isdecimal()]
    assert not forced(MODEL, TOKENIZER, [ids], [gold + 1]).correct[0]


def test_the_error_of_a_calibrated_model_is_small_and_expected():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 4000)
    sure = Exits(confidence, rng.random(4000) < confidence)
    metrics = exit_metrics(sure, seed=0)
    assert metrics["ece"] < 0.03
    assert metrics["ece_of_calibrated"] == pytest.approx(metrics["ece"], abs=0.01)
    assert metrics["auroc"] > 0.75
    assert metrics["brier"] == pytest.approx(1 / 6, abs=0.02)
    overconfident = Exits(np.full(4000, 0.9), rng.random(4000) < 0.4)
    assert ece(overconfident) == pytest.approx(0.5, abs=0.03)


def test_no_exits_give_no_numbers():
    none = Exits(np.zeros(0), np.zeros(0, dtype=bool))
    metrics = exit_metrics(none, seed=0)
    assert metrics.pop("n") == 0
    assert set(metrics.values()) == {None}
    assert len(metrics) == 6
