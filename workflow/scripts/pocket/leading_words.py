"""The words that lead where a pocket thought turned back: the most likely first words.

At a full stop the model chooses among line breaks and words after a space in one step.
A line break is no word, so it is left out there. A word after a space and the same word
after a line break are one word.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from doubletake.model.batches import batches_of, padded
from pocket.causes import CHOICE_OF_WORD, TURN
from pocket.sampled_thoughts import Sample
from pocket.thought_metrics import shares

BATCH_TOKENS = 16_384
"""Largest number of tokens of a batch, with padding."""
COMMON = 0.05
"""Share of turns from which on a leading word that turns back counts as common."""


def turn_tokens(sample: Sample) -> list[int]:
    """Index in the completion of the token before the first word of each turn."""
    return [
        sample.tokens_before(boundary.start) - 1
        for boundary in sample.reading.boundaries
        if boundary.choice == TURN
    ]


@torch.inference_mode()
def leading_words(
    model: PreTrainedModel, tokenizer: Tokenizer, samples: Sequence[Sample]
) -> list[list[str]]:
    """The most likely word at every turn of every sample, from one forward pass."""
    breaks = [i for t, i in tokenizer.get_vocab().items() if not _word(tokenizer, i)]
    words: list[list[str]] = [[] for _ in samples]

    def length(index: int) -> int:
        return len(samples[index].prompt_ids) + len(samples[index].ids)

    batches = batches_of(
        range(len(samples)),
        length,
        lambda batch: len(batch) * length(batch[0]),
        BATCH_TOKENS,
    )
    for batch in batches:
        rows = [[*samples[index].prompt_ids, *samples[index].ids] for index in batch]
        states = model.model(padded(rows).to(model.device)).last_hidden_state
        for index, resid in zip(batch, states, strict=True):
            sample = samples[index]
            positions = [len(sample.prompt_ids) + k for k in turn_tokens(sample)]
            logits = model.lm_head(resid[positions])
            logits[:, breaks] = -torch.inf
            words[index] = [_word(tokenizer, i) for i in logits.argmax(-1).tolist()]
    return words


def _word(tokenizer: Tokenizer, token: int) -> str:
    return tokenizer.decode([token]).strip()


def leading_word_metrics(words: Sequence[list[str]]) -> dict[str, Any]:
    """Share of each leading word, at all turns and at the first turns of thoughts."""
    return {
        "all_turns": _counts([word for of_thought in words for word in of_thought]),
        "first_turns": _counts([of_thought[0] for of_thought in words if of_thought]),
    }


def _counts(words: Sequence[str]) -> dict[str, Any]:
    found = shares(Counter(words))
    common = [
        word
        for word, value in found.items()
        if value >= COMMON and CHOICE_OF_WORD.get(word) == TURN
    ]
    return {"n": len(words), "common_turn_words": len(common), "share": found}
