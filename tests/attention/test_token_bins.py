"""Bins hold every token once, in the bin that a reader would choose."""

import pytest
import torch
from thought_edges import edges_of

from attention.tables import BINS, PARTITION
from attention.token_bins import TokenBinner, attention_by_bin, bins_of, visible_tokens

PROMPT = 4


def trace_of(*pieces, thought_end=None):
    """A trace whose completion's tokens are these pieces of text."""
    offsets, text = [], ""
    for piece in pieces:
        offsets.append(len(text))
        text += piece
    return {
        "prompt_ids": [0] * PROMPT,
        "completion_ids": list(range(len(pieces))),
        "text": text,
        "offsets": offsets,
        "thought_end": thought_end,
        **edges_of(text),
    }


PIECES = (
    *("One", " and", " one", " is", " two", "."),  # 4 ... 9
    *("\n\n",),  # 10
    *("So", " it", " is", " two", "."),  # 11 ... 15
    *(" Wait", ",", " is", " it", "?"),  # 16 ... 20
)


def spans_by_bin(binner, position):
    spans = binner.spans(position)
    return {name: tuple(span) for name, span in zip(BINS, spans, strict=True)}


def test_before_a_turn_the_current_sentence_ends_at_the_position():
    bins = spans_by_bin(TokenBinner(trace_of(*PIECES), [8, 14]), 15)
    assert bins == {
        "bos": (0, 1),
        "question": (1, 4),
        "part_1": (4, 5),
        "part_2": (5, 6),
        "part_3": (6, 8),
        "part_4": (8, 9),
        "part_5": (9, 11),
        "current_sentence": (11, 16),
        "arrival_sentence": (11, 16),
    }


def test_white_space_after_a_sentence_belongs_to_it():
    bins = spans_by_bin(TokenBinner(trace_of(*PIECES), [8]), 10)
    assert bins["current_sentence"] == (4, 11)
    assert bins["arrival_sentence"] == (4, 11)


def test_the_last_arrival_is_the_last_before_the_position():
    binner = TokenBinner(trace_of(*PIECES), [14, 8, 20])
    assert spans_by_bin(binner, 13)["arrival_sentence"] == (4, 11)
    assert spans_by_bin(binner, 19)["arrival_sentence"] == (11, 16)


def test_an_arrivals_sentence_is_cut_at_the_position():
    assert spans_by_bin(TokenBinner(trace_of(*PIECES), [12]), 13)[
        "arrival_sentence"
    ] == (11, 14)


def test_without_an_arrival_there_is_no_sentence_of_it():
    start, stop = spans_by_bin(TokenBinner(trace_of(*PIECES), [16]), 15)[
        "arrival_sentence"
    ]
    assert start == stop


def test_a_marker_in_the_completion_belongs_to_the_question():
    binner = TokenBinner(trace_of("<think>", "\n", *PIECES), [])
    assert spans_by_bin(binner, 17)["question"] == (1, 6)
    assert spans_by_bin(binner, 17)["current_sentence"] == (13, 18)


def test_the_last_prompt_token_sees_no_thought():
    bins = spans_by_bin(TokenBinner(trace_of(*PIECES), []), PROMPT - 1)
    assert bins["question"] == (1, 4)
    sizes = {name: stop - start for name, (start, stop) in bins.items()}
    assert sum(sizes.values()) == 4
    assert sizes["current_sentence"] == 0


@pytest.mark.parametrize("opening", [(), ("<think>", "\n")])
@pytest.mark.parametrize("pieces", [PIECES, ("\n", " ", *PIECES), (" ",), ()])
def test_the_partition_holds_every_token_once(pieces, opening):
    trace = trace_of(*opening, *pieces)
    binner = TokenBinner(trace, [8])
    for position in range(PROMPT + len(trace["offsets"])):
        bins = binner.spans(position)[: len(PARTITION)]
        tokens = [t for start, stop in bins for t in range(start, stop)]
        assert tokens == list(range(position + 1)), position


def test_rows_are_summed_over_bins():
    binner = TokenBinner(trace_of(*PIECES), [8, 14])
    bins = bins_of(binner, [15, 19])
    weights = torch.rand(2, 3, 21).masked_fill(
        torch.arange(21) > torch.tensor([15, 19])[:, None, None], 0
    )
    weights /= weights.sum(-1, keepdim=True)
    by_bin = attention_by_bin(weights, bins)
    for row, position in enumerate((15, 19)):
        for k, (start, stop) in enumerate(binner.spans(position)):
            expected = weights[row, :, start:stop].sum(-1)
            assert torch.allclose(by_bin[row, :, k], expected, atol=1e-6)
    total = by_bin[..., : len(PARTITION)].sum(-1)
    assert torch.allclose(total, torch.ones(2, 3), atol=1e-6)


@pytest.mark.parametrize("window", [None, 1, 4, 100])
def test_tokens_that_a_layer_sees(window):
    binner = TokenBinner(trace_of(*PIECES), [8, 14])
    positions = torch.tensor([3, 15, 19])
    visible = visible_tokens(bins_of(binner, positions.tolist()), positions, window)
    for row, position in enumerate(positions.tolist()):
        first = 0 if window is None else max(0, position + 1 - window)
        for k, (start, stop) in enumerate(binner.spans(position)):
            assert visible[row, k] == len(range(max(start, first), stop))
        assert visible[row, : len(PARTITION)].sum() == position + 1 - first
