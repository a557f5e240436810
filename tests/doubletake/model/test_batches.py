"""Batches hold at most the limit, and are halved if memory runs out."""

import pytest
import torch

from doubletake.model.batches import batches_of, in_batches, padded
from doubletake.running.errors import InputError


def test_padding_is_on_the_right():
    assert padded([[5, 6, 7], [8]]).tolist() == [[5, 6, 7], [8, 0, 0]]


@pytest.mark.parametrize(
    ("lengths", "limit", "batches"),
    [
        ([], 10, []),
        ([3, 9, 4], 10, [[9], [4, 3]]),
        ([5, 5, 5], 10, [[5, 5], [5]]),
        ([50, 2, 2], 10, [[50], [2, 2]]),
        ([1, 1], 1, [[1], [1]]),
    ],
)
def test_batches_hold_at_most_the_limit(lengths, limit, batches):
    assert batches_of(lengths, lambda length: length, limit) == batches


@pytest.mark.parametrize(
    ("lengths", "padding", "batches"),
    [
        ([10, 9, 9, 8], 0.1, [[10, 9, 9, 8]]),  # 4 of 40 tokens are padding
        ([10, 9, 9, 7, 7], 0.1, [[10, 9, 9], [7, 7]]),
        ([10, 9, 9, 7], 0.0, [[10], [9, 9], [7]]),
        ([10, 1, 1], 1.0, [[10, 1, 1]]),
    ],
)
def test_batches_hold_at_most_their_share_of_padding(lengths, padding, batches):
    assert batches_of(lengths, lambda length: length, 1000, padding) == batches


def run_with_memory_for(size: int, lengths: list[int]) -> list[list[int]]:
    def run(batch: list[int]) -> int:
        if len(batch) > size:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return sum(batch)

    results = in_batches(
        lengths,
        run,
        length=lambda length: length,
        name=lambda length: f"sequence {length}",
        batch_tokens=1000,
    )
    return [batch for batch, _ in results]


def test_what_does_not_fit_is_halved_until_it_does():
    assert run_with_memory_for(2, [9, 8, 7, 6, 5]) == [[9, 8], [7], [6, 5]]


def test_a_sequence_that_never_fits_is_named():
    with pytest.raises(InputError, match="sequence 9: out of memory for its 9 tokens"):
        run_with_memory_for(0, [9, 8])
