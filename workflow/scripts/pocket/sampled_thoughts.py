"""Thoughts that a pocket model samples, with their tokens, characters and reading."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from pocket.problems import Problem
from pocket.thought_reader import Reading, read_thought
from pocket.tokenizer import END_OF_THOUGHT

logger = logging.getLogger("evaluate_pocket")

BOX = "\\boxed{"


@dataclass(frozen=True)
class Sampling:
    """How thoughts are sampled."""

    seed: int
    """Seed of the sampling."""
    temperature: float
    """Sampling temperature."""
    top_p: float
    """Share of the probability that sampling keeps (nucleus sampling)."""
    max_new_tokens: int
    """Length limit of a completion, in tokens."""
    batch: int
    """Number of problems that are sampled together."""


@dataclass(frozen=True)
class Sample:
    """A problem with the completion that a model sampled for it."""

    problem: Problem
    prompt_ids: list[int]
    ids: list[int]
    """Tokens of the completion, without the end-of-sentence token."""
    pieces: list[str]
    """Text of each token of the completion."""

    @cached_property
    def text(self) -> str:
        """The completion."""
        return "".join(self.pieces)

    @cached_property
    def ends(self) -> list[int]:
        """The character after each token of the completion."""
        return list(accumulate(map(len, self.pieces)))

    @property
    def closed(self) -> bool:
        """Whether the thought has an end marker."""
        return END_OF_THOUGHT in self.text

    @cached_property
    def reading(self) -> Reading:
        """What the reader finds in the thought."""
        thought = self.text.partition(END_OF_THOUGHT)[0]
        return read_thought(self.problem.question, thought)

    @property
    def answer(self) -> int | None:
        """The boxed number after the thought; None without one."""
        return boxed(self.text.partition(END_OF_THOUGHT)[2])

    @property
    def is_right(self) -> bool:
        """Whether the final answer is the true one."""
        return self.answer == self.problem.answer

    def tokens_before(self, character: int) -> int:
        """Number of tokens of the completion that end at or before a character."""
        return sum(end <= character for end in self.ends)


def boxed(text: str) -> int | None:
    """The last boxed number; None if there is no box or no number in it."""
    _, box, rest = text.rpartition(BOX)
    number, brace, _ = rest.partition("}")
    return int(number) if box and brace and number.isdecimal() else None


def prompt_ids(tokenizer: Tokenizer, question: str) -> list[int]:
    """Tokens of the question in the chat template, up to the open thought."""
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}],
        add_generation_prompt=True,
        return_dict=True,
    )
    return list(rendered["input_ids"])


def sample_thoughts(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    sampling: Sampling,
) -> list[Sample]:
    """One completion for every problem."""
    torch.manual_seed(sampling.seed)
    prompts = [prompt_ids(tokenizer, problem.question) for problem in problems]
    samples: list[Sample] = []
    for first in range(0, len(prompts), sampling.batch):
        batch = slice(first, first + sampling.batch)
        made = _sample_batch(model, tokenizer, prompts[batch], sampling)
        for problem, prompt, ids in zip(
            problems[batch], prompts[batch], made, strict=True
        ):
            pieces = tokenizer.batch_decode([[token] for token in ids])
            samples.append(Sample(problem, prompt, ids, pieces))
        logger.info("%d of %d thoughts", len(samples), len(problems))
    return samples


def _sample_batch(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    prompts: list[list[int]],
    sampling: Sampling,
) -> list[list[int]]:
    """New tokens of every prompt, up to the end-of-sentence token, if any."""
    eos = tokenizer.eos_token_id
    width = max(map(len, prompts))
    # Padding on the left puts the newest token of every row in the last column.
    ids = torch.tensor([[eos] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    made = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        pad_token_id=eos,
        do_sample=True,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=0,
        max_new_tokens=sampling.max_new_tokens,
    )
    return [
        row[: row.index(eos)] if eos in row else row for row in made[:, width:].tolist()
    ]
