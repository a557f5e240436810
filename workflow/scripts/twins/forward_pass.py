"""Forward passes of the contexts: the probability of turning after their last token."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from doubletake.model.batch_memory import Widths, forward_bytes
from doubletake.model.batches import in_batches, padded
from doubletake.model.decoder import Decoder
from doubletake.model.lens import Lens
from doubletake.running.logs import Progress
from twins.pairs import Pair
from twins.turn_probability import FirstWords, raw_probability, turn_probability

NUCLEUS_BYTES = 64
"""Bytes per logit of `turn_probability`: float64 probabilities, their order, sums."""


@dataclass(frozen=True)
class Measured:
    """What the model predicts after a context."""

    turn: float
    """Probability of turning (`turn_probability.turn_probability`), or NaN."""
    raw: float
    """The same at temperature 1 and without top-p."""
    logprob: float
    """Log-prob of the token that the trace has there, nats."""


@dataclass(frozen=True)
class Context:
    """A sequence of tokens, and the token that follows in the trace."""

    index: int
    ids: list[int]
    first_id: int
    name: str
    """For messages."""


def contexts_of(pairs: Sequence[Pair]) -> list[Context]:
    """All contexts: of pair k, number 2k has the cause and number 2k + 1 has not."""
    return [
        Context(
            2 * k + part, ids, pair.first_id, f"context of trace {pair.row['trace']}"
        )
        for k, pair in enumerate(pairs)
        for part, ids in enumerate((pair.with_cause, pair.without_cause))
    ]


def measured_contexts(
    decoder: Decoder,
    pairs: Sequence[Pair],
    words: FirstWords,
    gib: float,
    progress: Progress,
) -> list[Measured]:
    """What the model predicts after each of `contexts_of`, in their order."""
    contexts = contexts_of(pairs)
    found: dict[int, Measured] = {}
    for batch, measured in in_batches(
        contexts,
        lambda batch: measured_batch(decoder, batch, words),
        length=lambda context: len(context.ids),
        name=lambda context: context.name,
        need=partial(batch_bytes, decoder),
        batch_memory=gib,
    ):
        found |= {c.index: m for c, m in zip(batch, measured, strict=True)}
        progress.update(len(batch), sum(len(context.ids) for context in batch))
    return [found[index] for index in range(len(contexts))]


def batch_bytes(decoder: Decoder, batch: Sequence[Context]) -> float:
    """Peak memory of `measured_batch` in addition to the model, in bytes.

    The logits come after the forward pass. Their probabilities are sorted in float64.
    """
    w = Widths.of(decoder)
    length = len(batch[0].ids)
    logits = len(batch) * w.vocabulary * NUCLEUS_BYTES
    states = len(batch) * length * w.d * w.size
    return max(forward_bytes(w, len(batch), length), states + logits)


@torch.inference_mode()
def measured_batch(
    decoder: Decoder, batch: Sequence[Context], words: FirstWords
) -> list[Measured]:
    """One forward pass of contexts that are padded on the right."""
    ids = padded([context.ids for context in batch]).to(decoder.device)
    states = decoder.base(input_ids=ids, use_cache=False).last_hidden_state
    last = [len(context.ids) - 1 for context in batch]
    logits = Lens.of(decoder).model_logits(states[range(len(batch)), last])
    return _read(logits.float(), [context.first_id for context in batch], words)


@torch.inference_mode()
def measured_alone(decoder: Decoder, context: Context, words: FirstWords) -> Measured:
    """A plain forward pass of the whole model on one context."""
    ids = torch.tensor([context.ids], device=decoder.device)
    logits = decoder.hf(input_ids=ids, use_cache=False).logits[:, -1]
    return _read(logits.float(), [context.first_id], words)[0]


def _read(
    logits: torch.Tensor, first_ids: list[int], words: FirstWords
) -> list[Measured]:
    rows = torch.arange(len(first_ids))
    logprobs = logits.log_softmax(-1)[rows, torch.tensor(first_ids)]
    columns = (
        turn_probability(logits, words),
        raw_probability(logits, words),
        logprobs,
    )
    lists = (column.double().tolist() for column in columns)
    return [Measured(*values) for values in zip(*lists, strict=True)]
