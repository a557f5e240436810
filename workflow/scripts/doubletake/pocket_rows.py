"""Training rows of the pocket model: generated texts, encoded and put in batches."""

import random
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast as Tokenizer

from doubletake.pocket import Habits, sample_problem, sample_thought
from doubletake.pocket_problems import is_test_question
from doubletake.pocket_tokenizer import completion_text, prompt_text

IGNORED = -100


@dataclass(frozen=True)
class Row:
    """One training sequence."""

    ids: list[int]
    prompt: int
    """Length of the prompt, on which there is no loss."""


def training_texts(
    rng: random.Random, habits: Habits, rows: int
) -> list[tuple[str, str]]:
    """Prompts and completions of problems outside the test split."""
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
        habits: what the thoughts do how often.
        rows: number of rows in all.
        batch_tokens: most tokens of a batch, padding included.
    """
    texts = training_texts(rng, habits, rows)
    core = tokenizer.backend_tokenizer
    prompts = core.encode_batch([prompt_text(q) for q, _ in texts], False)
    completions = core.encode_batch([c for _, c in texts], False)
    encoded = [
        Row([*prompt.ids, *completion.ids, tokenizer.eos_token_id], len(prompt.ids))
        for prompt, completion in zip(prompts, completions, strict=True)
    ]
    encoded.sort(key=lambda row: len(row.ids))
    batches: list[list[Row]] = [[]]
    for row in encoded:
        if (len(batches[-1]) + 1) * len(row.ids) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    rng.shuffle(batches)
    return batches


def collate(batch: list[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and targets `[row, token]`, padded on the right.

    The target of a position is the next token, `IGNORED` in prompts and padding.
    Padding on the right needs no mask under causal attention.
    """
    longest = max(len(row.ids) for row in batch)
    ids = torch.full((len(batch), longest), pad)
    targets = torch.full((len(batch), longest), IGNORED)
    for index, row in enumerate(batch):
        length = len(row.ids)
        ids[index, :length] = torch.tensor(row.ids)
        targets[index, row.prompt - 1 : length - 1] = ids[index, row.prompt : length]
    return ids, targets
