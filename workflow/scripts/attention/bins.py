"""Where attention can go, seen from a position of a thought: bins of tokens.

The partition, every token up to and including the position in exactly one bin:

    bos           token 0, the sink
    question      the rest of the prompt, and the marker that opens the thought
    part_1 ... 5  the thought before the position's own sentence, five equal parts
    own_sentence  the sentence that the position stands in, up to and including it

A position that predicts the first token of a sentence stands at the end of the sentence
before: that one is its own. White space after a sentence belongs to it. Beside the
partition, `arrival_sentence` is the sentence of the last arrival at or before the
position; its tokens are in the partition too, in `own_sentence` where the arrival was
stated just before.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch

from attention.tables import BINS, PARTS
from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import thought_tokens, token_at


class Tokens(NamedTuple):
    """Tokens `start` to `stop` (exclusive) of a trace."""

    start: int
    stop: int


class Binner:
    """Bins of the positions of one trace."""

    def __init__(self, trace: dict[str, Any], arrivals: Iterable[int]) -> None:
        """Find the thought and its sentences.

        Args:
            trace: a row of `schemas.TRACES`.
            arrivals: `token` of its arrivals.
        """
        prompt, offsets = len(trace["prompt_ids"]), trace["offsets"]
        self.arrivals = sorted(arrivals)
        self.thought = prompt
        self.starts: list[int] = []
        if not offsets:
            return
        self.thought = thought_tokens(trace)[0]
        places = {
            token_at(offsets, prompt, sentence.start)
            for sentence in sentences(trace["text"])
        }
        self.starts = sorted(place for place in places if place >= self.thought)

    def bins(self, position: int) -> list[Tokens]:
        """Tokens of every bin of `BINS`, as seen from a position; empty ones too."""
        end = position + 1
        thought = min(max(self.thought, 1), end)
        own = max(self._sentence(position, end).start, thought)
        cuts = [thought + (own - thought) * k // len(PARTS) for k in range(6)]
        parts = [Tokens(*pair) for pair in pairwise(cuts)]
        first = Tokens(0, min(1, end))
        return [
            first,
            Tokens(first.stop, thought),
            *parts,
            Tokens(own, end),
            self._arrival(position, end),
        ]

    def _arrival(self, position: int, end: int) -> Tokens:
        """Sentence of the last arrival; no tokens where there is none."""
        place = bisect_right(self.arrivals, position)
        return self._sentence(self.arrivals[place - 1], end) if place else Tokens(0, 0)

    def _sentence(self, token: int, end: int) -> Tokens:
        """The sentence that holds a token, cut at `end`."""
        if token < self.thought:
            return Tokens(end, end)
        place = bisect_right(self.starts, token)
        start = self.starts[place - 1] if place else self.thought
        stop = self.starts[place] if place < len(self.starts) else end
        return Tokens(start, min(stop, end))


def in_bins(weights: torch.Tensor, bins: torch.Tensor) -> torch.Tensor:
    """Attention rows summed over bins.

    Args:
        weights: [position, head, token], float32.
        bins: [position, bin, 2], start and stop of every bin.

    Returns:
        [position, head, bin].
    """
    tokens = torch.arange(weights.shape[-1], device=weights.device)[:, None]
    inside = (tokens >= bins[:, None, :, 0]) & (tokens < bins[:, None, :, 1])
    return weights @ inside.to(weights.dtype)


def visible_tokens(
    bins: torch.Tensor, positions: torch.Tensor, reach: int | None
) -> torch.Tensor:
    """How many tokens of each bin a layer sees.

    Args:
        bins: [position, bin, 2], start and stop of every bin.
        positions: [position].
        reach: tokens that the layer sees, the position's own included; None: all.

    Returns:
        [position, bin].
    """
    first = torch.zeros_like(positions) if reach is None else positions + 1 - reach
    start = torch.maximum(bins[..., 0], first[:, None])
    return (bins[..., 1] - start).clamp_min(0)


def bins_of(binner: Binner, positions: Sequence[int]) -> torch.Tensor:
    """Bins of several positions: [position, bin, 2]."""
    found = [binner.bins(position) for position in positions]
    return torch.tensor(found, dtype=torch.long).reshape(-1, len(BINS), 2)
