"""Batches of sequences of different lengths: padded, sorted, halved if too large."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from doubletake.model.batch_memory import GIB
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
    need: Callable[[Sequence[Item]], float],
    limit: float,
    padding: float = 1.0,
) -> list[list[Item]]:
    """Batches of similar length, the longest first. Equal lengths keep their order.

    Args:
        items: items to put into batches.
        length: number of tokens of an item.
        need: what a batch takes; its first item is the longest.
        limit: of the need of a batch. An item that needs more gets a batch to itself.
        padding: largest share of padding in a batch.
    """
    batches: list[list[Item]] = []
    filled = 0  # tokens of the last batch without padding
    for item in sorted(items, key=lambda item: -length(item)):
        batch = batches[-1] if batches else []
        size = (len(batch) + 1) * length(batch[0]) if batch else 0
        tokens = filled + length(item)
        is_full = size - tokens > padding * size
        if batch and not is_full and need([*batch, item]) <= limit:
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
    need: Callable[[Sequence[Item]], float],
    batch_memory: float,
    padding: float = 1.0,
) -> Iterator[tuple[list[Item], Result]]:
    """Run all batches. A batch that does not fit into memory is halved, with a warning.

    Args:
        items: items to run.
        run: called with a batch. It must leave no state behind when it fails.
        length: number of tokens of an item.
        name: name of an item in messages ("trace 3/0").
        need: memory of a batch in addition to the model, in bytes; the first item of
            the batch is the longest.
        batch_memory: memory for a batch in addition to the model, in GiB.
        padding: largest share of padding in a batch.

    Yields:
        Every batch, and the result of `run` on it.

    Raises:
        InputError: a single item does not fit into memory.
    """

    def alone(item: Item, problem: str) -> str:
        its = _need_in_words(length(item), need([item]), batch_memory)
        return f"{name(item)}: {problem}: {its}"

    waiting = batches_of(items, length, need, batch_memory * GIB, padding)[::-1]
    if waiting and need(waiting[-1]) > batch_memory * GIB:
        logger.warning("%s", alone(waiting[-1][0], "more than batch_memory"))
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
        if len(batch) == 1:
            raise InputError(alone(batch[0], "out of memory"))
        logger.warning(
            "out of memory with %d sequences of up to %d tokens: batch halved",
            len(batch),
            length(batch[0]),
        )
        half = len(batch) // 2
        waiting += [batch[half:], batch[:half]]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _need_in_words(tokens: int, need: float, batch_memory: float) -> str:
    return (
        f"its {tokens} tokens alone need about {need / GIB:.2g} GiB in addition to the "
        f"model (batch_memory: {batch_memory:g} GiB)"
    )


def run_alone(
    run: Callable[[], Result],
    *,
    name: str,
    tokens: int,
    need: float,
    batch_memory: float,
) -> Result:
    """Run one sequence, with the messages of `in_batches`.

    Args:
        run: the work.
        name: name of the sequence in messages ("trace 3/0").
        tokens: its number of tokens.
        need: its memory in addition to the model, in bytes.
        batch_memory: memory for a batch in addition to the model, in GiB.

    Raises:
        InputError: the sequence does not fit into memory.
    """
    ((_, result),) = in_batches(
        [name],
        lambda _: run(),
        length=lambda _: tokens,
        name=str,
        need=lambda _: need,
        batch_memory=batch_memory,
    )
    return result
