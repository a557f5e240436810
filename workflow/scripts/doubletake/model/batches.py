"""Batches of sequences of different lengths: padded, sorted, halved if too large."""

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

    Right padding needs no attention mask, because tokens of a causal model do not see
    later tokens (`Proof.causality`). Without a mask, attention takes its fast path. The
    states at padded positions are garbage; do not read them.
    """
    ids = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
    return ids


def batches_of(
    items: Sequence[Item],
    length: Callable[[Item], int],
    batch_tokens: int,
    padding: float = 1.0,
) -> list[list[Item]]:
    """Batches of similar length, the longest first. Equal lengths keep their order.

    With padding, a batch holds at most `batch_tokens` tokens. A longer item gets a
    batch to itself. At most the share `padding` of a batch's tokens is padding.
    """
    batches: list[list[Item]] = []
    filled = 0  # tokens of the last batch without padding
    for item in sorted(items, key=lambda item: -length(item)):
        batch = batches[-1] if batches else []
        size = (len(batch) + 1) * length(batch[0]) if batch else 0
        tokens = filled + length(item)
        if batch and size <= batch_tokens and size - tokens <= padding * size:
            batch.append(item)
            filled = tokens
        else:
            batches.append([item])
            filled = length(item)
    return batches


def in_batches(
    items: Sequence[Item],
    run: Callable[[list[Item]], Result],
    *,
    length: Callable[[Item], int],
    name: Callable[[Item], str],
    batch_tokens: int,
    padding: float = 1.0,
) -> Iterator[tuple[list[Item], Result]]:
    """Run all batches. A batch that does not fit into memory is halved, with a warning.

    Args:
        items: items to run.
        run: called with a batch. It must leave no state behind when it fails.
        length: number of tokens of an item.
        name: name of an item in messages ("trace 3/0").
        batch_tokens: tokens of a batch, padding included.
        padding: largest share of padding in a batch.

    Yields:
        Every batch, and the result of `run` on it.

    Raises:
        InputError: a single item does not fit into memory.
    """
    waiting = batches_of(items, length, batch_tokens, padding)[::-1]
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
        # Outside of the handler: inside it, the error still holds the batch's tensors.
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
