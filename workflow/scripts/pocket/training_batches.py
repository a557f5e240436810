"""Training data of the pocket model: generated texts, encoded and put into batches."""

import random
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast as Tokenizer

from pocket.arithmetic import MAX_VALUE, Equation, calculate, is_fact
from pocket.problems import is_test_question, sample_problem
from pocket.thoughts import Habits, sample_thought
from pocket.tokenizer import completion_text, prompt_text

IGNORED = -100
"""Target of positions without a loss."""
DRILL_EQUATIONS = 24
"""Equations of one training sequence of a drill."""


@dataclass(frozen=True)
class Row:
    """One training sequence."""

    ids: list[int]
    prompt: int
    """Length of the prompt in tokens; there is no loss on it."""


def training_texts(
    rng: random.Random, habits: Habits, rows: int
) -> list[tuple[str, str]]:
    """Questions and completions of problems outside the test split."""
    texts: list[tuple[str, str]] = []
    while len(texts) < rows:
        problem = sample_problem(rng)
        if is_test_question(problem.question):
            continue
        thought = sample_thought(problem, rng, habits)
        completion = completion_text(thought.text, thought.answer)
        texts.append((problem.question, completion))
    return texts


def sample_batches(
    tokenizer: Tokenizer,
    *,
    rng: random.Random,
    habits: Habits,
    rows: int,
    batch_tokens: int,
) -> list[list[Row]]:
    """Batches of rows of similar length, in random order.

    Args:
        tokenizer: the pocket tokenizer.
        rng: source of problems, thoughts and order.
        habits: how often the thoughts take which step.
        rows: total number of rows.
        batch_tokens: largest number of tokens of a batch, with padding.
    """
    texts = training_texts(rng, habits, rows)
    prompts = _encode(tokenizer, [prompt_text(question) for question, _ in texts])
    completions = _encode(tokenizer, [completion for _, completion in texts])
    encoded = [
        Row([*prompt, *completion, tokenizer.eos_token_id], len(prompt))
        for prompt, completion in zip(prompts, completions, strict=True)
    ]
    return in_batches(encoded, rng, batch_tokens)


def drill_batches(
    tokenizer: Tokenizer, *, rng: random.Random, rows: int, batch_tokens: int
) -> list[list[Row]]:
    """Batches of bare equations, drawn evenly from all facts of the language.

    A thought repeats its few equations. A drill shows many different equations in the
    same number of tokens.
    """
    facts = all_facts()
    texts = [
        " ".join(f"{fact}." for fact in rng.choices(facts, k=DRILL_EQUATIONS))
        for _ in range(rows)
    ]
    bos = tokenizer.bos_token_id
    encoded = [Row([bos, *ids], 1) for ids in _encode(tokenizer, texts)]
    return in_batches(encoded, rng, batch_tokens)


def all_facts() -> list[Equation]:
    """Every equation that the language may hold."""
    numbers = range(2, MAX_VALUE + 1)
    return [
        Equation(left, sign, right, calculate(left, sign, right))
        for sign in "+-*/"
        for left in numbers
        for right in numbers
        if is_fact(left, sign, right)
    ]


def in_batches(
    encoded: list[Row], rng: random.Random, batch_tokens: int
) -> list[list[Row]]:
    """Batches of rows of similar length, in random order, up to `batch_tokens` each."""
    encoded = sorted(encoded, key=lambda row: len(row.ids))
    batches: list[list[Row]] = [[]]
    for row in encoded:
        if (len(batches[-1]) + 1) * len(row.ids) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    rng.shuffle(batches)
    return batches


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids; no token is added, because the prompt's text holds the BOS."""
    core = tokenizer.backend_tokenizer
    return [part.ids for part in core.encode_batch(texts, add_special_tokens=False)]


def collate(batch: list[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and targets `[row, token]`, padded on the right.

    The target of a position is the next token; in prompts and padding it is `IGNORED`.
    With causal attention, padding on the right needs no mask.
    """
    longest = max(len(row.ids) for row in batch)
    ids = torch.full((len(batch), longest), pad)
    targets = torch.full((len(batch), longest), IGNORED)
    for index, row in enumerate(batch):
        length = len(row.ids)
        ids[index, :length] = torch.tensor(row.ids)
        targets[index, row.prompt - 1 : length - 1] = ids[index, row.prompt : length]
    return ids, targets
