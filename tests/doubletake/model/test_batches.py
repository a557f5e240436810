"""Batches hold at most the limit, and are halved if memory runs out."""

import pytest
import torch

from doubletake.model.batch_memory import GIB
from doubletake.model.batches import batches_of, in_batches, padded, run_alone
from doubletake.running.errors import InputError


def test_padding_is_on_the_right():
    assert padded([[5, 6, 7], [8]]).tolist() == [[5, 6, 7], [8, 0, 0]]


def padded_tokens(batch):
    return len(batch) * batch[0]


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
    found = batches_of(lengths, lambda length: length, padded_tokens, limit)
    assert found == batches


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
    found = batches_of(lengths, lambda length: length, padded_tokens, 1000, padding)
    assert found == batches


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
        need=lambda batch: padded_tokens(batch) * GIB / 100,
        batch_memory=10,
    )
    return [batch for batch, _ in results]


def test_what_does_not_fit_is_halved_until_it_does():
    assert run_with_memory_for(2, [9, 8, 7, 6, 5]) == [[9, 8], [7], [6, 5]]


def test_a_sequence_that_never_fits_is_named():
    message = (
        "sequence 9: out of memory: its 9 tokens alone need about 0.09 GiB in addition "
        r"to the model \(batch_memory: 10 GiB\)"
    )
    with pytest.raises(InputError, match=message):
        run_with_memory_for(0, [9, 8])


def run_one(need: float) -> str:
    return run_alone(
        lambda: "result", name="trace 3/0", tokens=4096, need=need, batch_memory=0.5
    )


def test_a_sequence_beyond_the_budget_is_named_before_it_runs(caplog):
    assert run_one(0.7 * GIB) == "result"
    assert caplog.messages == [
        "trace 3/0: more than batch_memory: its 4096 tokens alone need about 0.7 GiB "
        "in addition to the model (batch_memory: 0.5 GiB)"
    ]


def test_a_sequence_within_the_budget_is_not_mentioned(caplog):
    assert run_one(0.5 * GIB) == "result"
    assert not caplog.messages
