"""Exits: forced answers against one pass each, and calibration against its meaning."""

from types import SimpleNamespace

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


class Scripted:
    """A model whose most likely next token depends on the last token alone."""

    device = "cpu"

    def __init__(self, *texts: str) -> None:
        """Each text is one token and follows the text before it."""
        ids = [TOKENIZER.encode(text, add_special_tokens=False)[-1] for text in texts]
        self.after = torch.zeros(len(TOKENIZER), dtype=torch.long)
        self.after[ids[:-1]] = torch.tensor(ids[1:])
        self.lm_head = torch.nn.Identity()

    def model(self, ids: torch.Tensor) -> SimpleNamespace:
        logits = torch.nn.functional.one_hot(self.after[ids], len(TOKENIZER)) * 9.0
        return SimpleNamespace(last_hidden_state=logits)


@pytest.mark.parametrize(
    ("texts", "correct", "closed"),
    [
        (("14", "}"), [True, False], [True, True]),
        (("14", " "), [False, False], [False, False]),
        (("Tom", "}"), [False, False], [True, True]),
    ],
)
def test_an_answer_is_right_if_it_is_the_number_and_its_box_closes(
    texts, correct, closed
):
    ids = TOKENIZER.encode("Tom has 12 pens.", add_special_tokens=False)
    found = forced(Scripted(ANSWER_PROMPT, *texts), TOKENIZER, [ids, ids], [14, 15])
    assert found.correct.tolist() == correct
    assert found.closed.tolist() == closed
    assert (found.confidence > 0.9).all()


def test_the_error_of_a_calibrated_model_is_small_and_expected():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 4000)
    correct = rng.random(4000) < confidence
    sure = Exits(confidence, correct, np.ones(4000, dtype=bool))
    metrics = exit_metrics(sure, seed=0)
    assert metrics["ece"] < 0.03
    assert metrics["ece_of_calibrated"] == pytest.approx(metrics["ece"], abs=0.01)
    assert metrics["auroc"] > 0.75
    assert metrics["brier"] == pytest.approx(1 / 6, abs=0.02)
    assert metrics["closed"] == 1
    overconfident = ece(np.full(4000, 0.9), rng.random(4000) < 0.4)
    assert overconfident == pytest.approx(0.5, abs=0.03)


def test_no_exits_give_no_numbers():
    none = Exits(np.zeros(0), *np.zeros((2, 0), dtype=bool))
    metrics = exit_metrics(none, seed=0)
    assert metrics.pop("n") == 0
    assert set(metrics.values()) == {None}
    assert len(metrics) == 7
