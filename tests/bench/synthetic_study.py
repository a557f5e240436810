"""Traces of realistic lengths with random tokens, and what each stage does with them.

Lengths of completions are drawn from a log-normal distribution with median 250 and 90th
percentile 900 tokens, and cut at the longest completion of the study. Arrivals are
evenly spaced, one per 100 tokens. So the exits are one before the thought and one per
arrival. Trial points are evenly spaced, too, one per 12 tokens. Attribution has two
positions per trace, at its middle and at its end.
"""

import heapq
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from llama_arithmetic import Arithmetic, Work, reading

from doubletake.model.branch_rows import ROW_TOKENS

MEDIAN, PERCENTILE_90, SHORTEST = 250, 900, 2
QUANTILE_90 = 1.2815515655446004  # of the standard normal distribution
# ASSUME: the mean question of GSM8K's test split, 59 tokens of the model, and markers.
PROMPT = 64
ARRIVAL_EVERY = 100  # tokens
# ASSUME: ends of sentences of about 20 tokens, and every 32nd token.
POINT_EVERY = 12  # tokens
SUFFIX = tuple(range(1, 13))
"""Tokens of the answer prompt."""
WORDS = 16
"""Number of backtrack words of the metric."""


@dataclass(frozen=True)
class SyntheticTrace:
    """A trace of random tokens."""

    number: int
    completion: int
    """Tokens of the completion."""
    vocabulary: int

    @property
    def name(self) -> str:
        """Its id."""
        return f"{self.number}/0"

    @property
    def length(self) -> int:
        """Tokens of prompt and completion."""
        return PROMPT + self.completion

    @cached_property
    def ids(self) -> list[int]:
        """Token ids of prompt and completion."""
        rng = np.random.default_rng(self.number)
        return rng.integers(1, self.vocabulary, self.length).tolist()

    @property
    def cuts(self) -> list[int]:
        """Where its exits cut it."""
        count = max(1, self.completion // ARRIVAL_EVERY)
        return [PROMPT + self.completion * k // count for k in range(count + 1)]

    @property
    def turns(self) -> list[int]:
        """Lengths up to the positions of attribution."""
        return [PROMPT + self.completion // 2, self.length]


def synthetic_traces(
    count: int, longest: int, vocabulary: int, seed: int = 0
) -> list[SyntheticTrace]:
    """Traces with seeded lengths; `longest` is that of the longest completion."""
    sigma = math.log(PERCENTILE_90 / MEDIAN) / QUANTILE_90
    drawn = np.random.default_rng(seed).lognormal(math.log(MEDIAN), sigma, count)
    lengths = drawn.round().astype(int).clip(SHORTEST, longest).tolist()
    return [
        SyntheticTrace(number, length, vocabulary)
        for number, length in enumerate(lengths)
    ]


def decoding_steps(completions: list[int], batch_size: int) -> int:
    """Steps of continuous batching: a free slot takes the next prompt.

    The first token of a completion comes from its prompt, every other one from a step.
    """
    ends = [0] * min(batch_size, len(completions))
    for length in completions:
        heapq.heappush(ends, heapq.heappop(ends) + length - 1)
    return max(ends, default=0)


@dataclass(frozen=True)
class Demand:
    """What a stage needs from a device."""

    tokens: int
    """Generation: tokens generated. Other stages: tokens that the model reads."""
    flops: float
    bytes: float | None = None
    """Bytes that decoding reads: the weights once per step, and the keys and values
    that each token sees. None: the stage is limited by arithmetic."""

    def with_decoding(self, other: "Demand") -> "Demand":
        """Of this decoding and another one."""
        assert self.bytes is not None
        assert other.bytes is not None
        return Demand(
            self.tokens + other.tokens,
            self.flops + other.flops,
            self.bytes + other.bytes,
        )


def generation_demand(
    model: Arithmetic, traces: list[SyntheticTrace], batch_size: int, shards: int = 1
) -> Demand:
    """Of decoding, prompts included; a shard takes every n-th trace."""
    vocabulary = model.config.vocab_size
    work, seen = Work(), 0
    for trace in traces:
        decoded = reading(
            trace.completion - 1, PROMPT, (trace.completion - 1) * vocabulary
        )
        work += reading(PROMPT, logits=vocabulary) + decoded
        seen += decoded.pairs
    completions = [trace.completion for trace in traces]
    steps = sum(
        decoding_steps(completions[k::shards], batch_size) for k in range(shards)
    )
    return Demand(
        sum(completions),
        model.forward_flops(work),
        steps * model.step_bytes + seen * model.cache_bytes,
    )


def activation_demand(model: Arithmetic, traces: list[SyntheticTrace]) -> Demand:
    """Of one forward pass over every trace, without unembedding."""
    work = sum((reading(trace.length) for trace in traces), Work())
    return Demand(work.tokens, model.forward_flops(work))


def exit_demand(
    model: Arithmetic, traces: list[SyntheticTrace], answer_tokens: int
) -> Demand:
    """Of all exits; the exits of a trace share its prefix, every answer is longest."""
    work, logits = Work(), answer_tokens * model.config.vocab_size
    for trace in traces:
        work += reading(max(trace.cuts))
        for cut in trace.cuts:
            work += reading(len(SUFFIX) + answer_tokens - 1, cut, logits)
    return Demand(work.tokens, model.forward_flops(work))


def trial_demand(
    model: Arithmetic, traces: list[SyntheticTrace], trial_tokens: int
) -> Demand:
    """Of all trial points; a prefix is read for each row of trials that it fills."""
    work, logits = Work(), trial_tokens * model.config.vocab_size
    trial = len(SUFFIX) + trial_tokens - 1
    for trace in traces:
        points = range(PROMPT, trace.length + 1, POINT_EVERY)
        for cut in points:
            work += reading(trial, cut, logits)
        for row in batched(points, max(1, ROW_TOKENS // trial)):
            work += reading(max(row))
    return Demand(work.tokens, model.forward_flops(work))


def batched(items: range, size: int) -> list[range]:
    """Parts of at most `size` items."""
    return [items[first : first + size] for first in range(0, len(items), size)]


def attribution_demand(model: Arithmetic, traces: list[SyntheticTrace]) -> Demand:
    """Of the gradients at all positions."""
    lengths = [length for trace in traces for length in trace.turns]
    work = sum(map(reading, lengths), Work())
    return Demand(work.tokens, model.attribution_flops(work, WORDS, len(lengths)))
