"""How sure and how right a pocket model is when its thought is cut at an arrival.

Exit 0 is before any thought, exit k after the sentence of arrival k. The thought is
closed there as in the training. All answers of the language are one token. So the
answer is the most likely next token, and the token after it must close the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from doubletake.model.batches import batches_of, padded
from doubletake.stats.calibration import calibration_error, equal_count_bins
from doubletake.stats.draws import array_generator
from pocket.problems import Problem
from pocket.sampled_thoughts import Sample, prompt_ids
from pocket.tokenizer import ANSWER_PROMPT

BATCH_TOKENS = 16_384
"""Largest number of tokens of a batch, with padding."""
BINS = 10
"""Bins of the calibration; all hold equally many exits."""
BOX_END = "}"
"""Text that ends an answer."""
DRAWS = 200
"""Number of draws of answers that would be right as often as the model is sure."""


@dataclass(frozen=True)
class Exits:
    """Forced answers at exits."""

    confidence: np.ndarray
    """Probability of the answer at temperature 1, `[exit]`."""
    correct: np.ndarray
    """Whether the answer is the true one and its box is closed, `[exit]`."""
    closed: np.ndarray
    """Whether the box is closed after the answer, `[exit]`."""

    def __add__(self, other: "Exits") -> "Exits":
        """The exits of both."""
        return Exits(
            np.concatenate([self.confidence, other.confidence]),
            np.concatenate([self.correct, other.correct]),
            np.concatenate([self.closed, other.closed]),
        )


def exits_without_thought(
    model: PreTrainedModel, tokenizer: Tokenizer, problems: Sequence[Problem]
) -> Exits:
    """Exit 0 of problems."""
    contexts = [prompt_ids(tokenizer, problem.question) for problem in problems]
    return forced(model, tokenizer, contexts, [p.answer for p in problems])


def exits_at_arrivals(
    model: PreTrainedModel, tokenizer: Tokenizer, samples: Sequence[Sample]
) -> Exits:
    """The exits after all arrivals of sampled thoughts."""
    contexts, gold = [], []
    for sample in samples:
        for end in sample.reading.arrival_ends:
            thought = sample.ids[: sample.tokens_before(end)]
            contexts.append([*sample.prompt_ids, *thought])
            gold.append(sample.problem.answer)
    return forced(model, tokenizer, contexts, gold)


@torch.inference_mode()
def forced(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    contexts: Sequence[list[int]],
    gold: Sequence[int],
) -> Exits:
    """The greedy answers after contexts that are closed with the answer prompt.

    An answer that is no number, or whose box does not close, counts as wrong, as in
    the experiment `early_exit`.

    Args:
        model: the pocket model.
        tokenizer: its tokenizer.
        contexts: token ids of prompt and cut thought.
        gold: the true answer of each context.
    """
    answer_prompt = tokenizer.encode(ANSWER_PROMPT, add_special_tokens=False)
    confidence = np.zeros(len(contexts))
    closed, correct = np.zeros((2, len(contexts)), dtype=bool)

    def length(index: int) -> int:
        return len(contexts[index]) + len(answer_prompt)

    batches = batches_of(
        range(len(contexts)),
        length,
        lambda batch: len(batch) * length(batch[0]),
        BATCH_TOKENS,
    )
    for batch in batches:
        rows = [[*contexts[index], *answer_prompt] for index in batch]
        confidence[batch], answers = _most_likely(model, rows)
        rows = [[*row, answer] for row, answer in zip(rows, answers, strict=True)]
        _, after = _most_likely(model, rows)
        closed[batch] = [tokenizer.decode([k]).startswith(BOX_END) for k in after]
        texts = [tokenizer.decode([answer]) for answer in answers]
        correct[batch] = closed[batch] & [
            text.isdecimal() and int(text) == gold[index]
            for text, index in zip(texts, batch, strict=True)
        ]
    return Exits(confidence, correct, closed)


def _most_likely(
    model: PreTrainedModel, rows: Sequence[list[int]]
) -> tuple[np.ndarray, list[int]]:
    """Probability and id of the most likely token after each row."""
    states = model.model(padded(rows).to(model.device)).last_hidden_state
    last = torch.tensor([len(row) - 1 for row in rows], device=model.device)
    resid = states[torch.arange(len(rows), device=model.device), last]
    top = model.lm_head(resid).float().softmax(-1).max(-1)
    return top.values.double().cpu().numpy(), top.indices.tolist()


def ece(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error in bins of equal counts; both are `[exit]`."""
    order = np.argsort(confidence, kind="stable")
    bins = equal_count_bins(len(order), min(BINS, len(order)))
    cases = np.bincount(bins)
    return calibration_error(
        np.bincount(bins, confidence[order]) / cases,
        np.bincount(bins, correct[order]) / cases,
        cases,
    )


def ece_of_calibrated(exits: Exits, seed: int) -> float:
    """Mean error if each answer were right with the probability of its confidence.

    So much of an error comes from the finite number of exits alone.
    """
    uniform = array_generator(seed, 0).random((DRAWS, len(exits.confidence)))
    draws = uniform < exits.confidence
    return float(np.mean([ece(exits.confidence, draw) for draw in draws]))


def exit_metrics(exits: Exits, seed: int) -> dict[str, Any]:
    """Confidence, accuracy and calibration of exits; values are None without exits."""
    confidence, correct = exits.confidence, exits.correct
    names = (
        *("mean_confidence", "accuracy", "closed"),
        *("ece", "ece_of_calibrated", "brier"),
    )
    if not len(confidence):
        return {"n": 0, **dict.fromkeys((*names, "auroc"))}
    values = (
        confidence.mean(),
        correct.mean(),
        exits.closed.mean(),
        ece(confidence, correct),
        ece_of_calibrated(exits, seed),
        ((confidence - correct) ** 2).mean(),
    )
    decided = 0 < correct.sum() < len(correct)
    auroc = round(float(roc_auc_score(correct, confidence)), 4) if decided else None
    rounded = (round(float(value), 4) for value in values)
    return {
        "n": len(confidence),
        **dict(zip(names, rounded, strict=True)),
        "auroc": auroc,
    }
