r"""How certain a running thought is of its answer: a trial on a copy of the cache.

Huang et al. 2025 (CGRS, arXiv 2508.05337): with the tokens a_1 ... a_n of a trial
answer, C = 1 - (mean entropy of the distributions at a_i) / log |V|. The trial is
greedy. The paper asks with "**Final Answer: \boxed"; here the study's own answer
prompt is used, as everywhere in the workflow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.slots import Slots


@dataclass(frozen=True)
class Trial:
    """A trial answer of a running thought."""

    tokens: list[int]
    entropies: list[float]
    """Entropy of the distribution at each token, in nats."""


def certainty(trial: Trial, prompt: AnswerPrompt, vocabulary: int) -> float:
    """C of a trial, from 0 to 1; 0 for an answer that is empty or has not ended.

    Args:
        trial: the trial.
        prompt: how its answer is read.
        vocabulary: number of tokens of the model.
    """
    answer = prompt.read(trial.tokens)
    if not answer.ended or not answer.length:
        return 0.0
    mean = sum(trial.entropies[: answer.length]) / answer.length
    return 1 - mean / math.log(vocabulary)


def trial_answers(
    slots: Slots, rows: Sequence[int], prompt: AnswerPrompt, most_tokens: int
) -> list[Trial]:
    """Trial answers of running thoughts; their own cache does not change.

    Args:
        slots: with all tokens of these rows in the cache.
        rows: numbers of the slots.
        prompt: closes the thought and asks for the answer.
        most_tokens: length of the longest trial.
    """
    cache, starts = _copied(slots, rows)
    trials = [Trial([], []) for _ in rows]
    feed = torch.tensor([prompt.suffix("")] * len(rows), device=slots.device)
    going_on = list(range(len(rows)))
    for _ in range(most_tokens):
        logits = _next_logits(slots, cache, starts, feed)
        logprobs = logits.log_softmax(-1)
        entropies = torch.special.entr(logprobs.exp()).sum(-1).tolist()
        tokens = logits.argmax(-1)
        slots.tokens_computed += feed.numel()
        for row in going_on:
            trials[row].tokens.append(int(tokens[row]))
            trials[row].entropies.append(entropies[row])
        going_on = [row for row in going_on if not prompt.ends(trials[row].tokens)]
        if not going_on:
            break
        feed = tokens[:, None]
    return trials


def _copied(slots: Slots, rows: Sequence[int]) -> tuple[DynamicCache, torch.Tensor]:
    """Keys and values of some slots, without positions that none of them needs."""
    index = torch.tensor(rows, device=slots.device)
    starts = slots.cache.starts[index]
    unused = int(starts.min())
    cache = DynamicCache()
    cache.layer_class_to_replicate = GrowingLayer
    for number, layer in enumerate(slots.cache.layers):
        keys, values = (part[:, :, unused:] for part in (layer.keys, layer.values))
        cache.update(keys[index], values[index], number)
    return cache, starts - unused


def _next_logits(
    slots: Slots, cache: DynamicCache, starts: torch.Tensor, feed: torch.Tensor
) -> torch.Tensor:
    """Logits after the fed tokens [row, token]: [row, vocabulary], float32."""
    length = cache.get_seq_length()
    places = torch.arange(length + feed.shape[1], device=slots.device)
    output = slots.model(
        input_ids=feed,
        attention_mask=(places >= starts[:, None]).long(),
        position_ids=places[length:] - starts[:, None],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1].float()
