"""Batched forward passes over sequences of different lengths."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from doubletake.model.devices import out_of_memory
from doubletake.running.errors import InputError

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


def padded(sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """Token ids padded on the right: [sequence, longest].

    Right padding needs no attention mask: a causal model's tokens do not see what
    follows (`Proof.causality`), and without a mask attention takes its fast path. What
    stands at padded positions means nothing and must not be read.
    """
    ids = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.long)
    for place, sequence in enumerate(sequences):
        ids[place, : len(sequence)] = torch.tensor(sequence)
    return ids


def batches_of(
    items: Sequence[Item], length: Callable[[Item], int], batch_tokens: int
) -> list[list[Item]]:
    """Batches of similar length, the longest first, equal lengths in their order.

    A batch of n items padded to the longest holds at most `batch_tokens` tokens, unless
    it is one long item.
    """
    batches: list[list[Item]] = []
    for item in sorted(items, key=lambda item: -length(item)):
        batch = batches[-1] if batches else None
        if batch and (len(batch) + 1) * length(batch[0]) <= batch_tokens:
            batch.append(item)
        else:
            batches.append([item])
    return batches


def in_batches(
    items: Sequence[Item],
    run: Callable[[list[Item]], Result],
    *,
    length: Callable[[Item], int],
    name: Callable[[Item], str],
    batch_tokens: int,
) -> Iterator[tuple[list[Item], Result]]:
    """Run every batch; one that does not fit into memory is halved, with a warning.

    Args:
        items: what to run.
        run: called with a batch; must leave nothing behind when it fails.
        length: tokens of an item.
        name: what to call an item in a message ("trace 3/0").
        batch_tokens: tokens of a batch, padding included.

    Yields:
        Every batch that ran and what `run` returned.

    Raises:
        InputError: one item alone does not fit.
    """
    waiting = batches_of(items, length, batch_tokens)[::-1]
    while waiting:
        batch = waiting.pop()
        try:
            result = run(batch)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        else:
            yield batch, result
            continue
        # Outside the handler, where the error no longer holds the batch's tensors.
        waiting += _halves(batch, length, name)[::-1]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _halves(
    batch: list[Item], length: Callable[[Item], int], name: Callable[[Item], str]
) -> list[list[Item]]:
    longest = length(batch[0])
    if len(batch) == 1:
        raise InputError(
            f"{name(batch[0])}: out of memory for its {longest} tokens alone"
        )
    logger.warning(
        "out of memory with %d sequences of up to %d tokens: batch halved",
        len(batch),
        longest,
    )
    half = len(batch) // 2
    return [batch[:half], batch[half:]]
