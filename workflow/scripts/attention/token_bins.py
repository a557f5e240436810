"""Bins of tokens that attention from a position of a thought can go to.

The partition puts every token up to and including the position into exactly one bin:

    bos               token 0, the attention sink
    question          the rest of the prompt, and the marker that opens the thought
    part_1 ... 5      five equal parts of the thought before the current sentence
    current_sentence  the sentence of the position, up to and including the position

A position that predicts the first token of a sentence stands at the end of the previous
sentence. This previous sentence is its current sentence. White space after a sentence
belongs to the sentence.

The bin `arrival_sentence` is not part of the partition. It holds the sentence of the
last arrival at or before the position. Its tokens are also in bins of the partition: in
`current_sentence` where the current sentence states the arrival.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch

from attention.tables import BINS, PARTS
from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import thought_tokens, token_at


class TokenSpan(NamedTuple):
    """Tokens `start` to `stop` (exclusive) of a trace."""

    start: int
    stop: int


class TokenBinner:
    """Bins of the positions of one trace."""

    def __init__(self, trace: dict[str, Any], arrivals: Iterable[int]) -> None:
        """Find the thought and its sentences.

        Args:
            trace: a row of `traces.tables.TRACES`.
            arrivals: `token` of its arrivals.
        """
        prompt, offsets = len(trace["prompt_ids"]), trace["offsets"]
        self.arrivals = sorted(arrivals)
        self.thought_start = prompt
        self.sentence_starts: list[int] = []
        if not offsets:
            return
        self.thought_start = thought_tokens(trace)[0]
        starts = {
            token_at(offsets, prompt, sentence.start)
            for sentence in sentences(trace["text"])
        }
        self.sentence_starts = sorted(s for s in starts if s >= self.thought_start)

    def spans(self, position: int) -> list[TokenSpan]:
        """Tokens of every bin of `BINS`, seen from a position; empty bins too."""
        end = position + 1
        # ASSUME: the marker that opens the thought belongs to the question.
        thought = min(max(self.thought_start, 1), end)
        current = max(self._sentence(position, end).start, thought)
        # ASSUME: five parts of equal length show how far back attention goes.
        cuts = [
            thought + (current - thought) * k // len(PARTS)
            for k in range(len(PARTS) + 1)
        ]
        bos = TokenSpan(0, min(1, end))
        return [
            bos,
            TokenSpan(bos.stop, thought),
            *(TokenSpan(*pair) for pair in pairwise(cuts)),
            TokenSpan(current, end),
            self._arrival_sentence(position, end),
        ]

    def _arrival_sentence(self, position: int, end: int) -> TokenSpan:
        """Sentence of the last arrival; an empty span where there is no arrival."""
        # ASSUME: of all arrivals before the position, only the last one matters.
        count = bisect_right(self.arrivals, position)
        if count == 0:
            return TokenSpan(0, 0)
        return self._sentence(self.arrivals[count - 1], end)

    def _sentence(self, token: int, end: int) -> TokenSpan:
        """The sentence that holds a token, cut at `end`."""
        if token < self.thought_start:
            return TokenSpan(end, end)
        starts = self.sentence_starts
        count = bisect_right(starts, token)
        start = starts[count - 1] if count else self.thought_start
        stop = starts[count] if count < len(starts) else end
        return TokenSpan(start, min(stop, end))


def attention_by_bin(weights: torch.Tensor, bins: torch.Tensor) -> torch.Tensor:
    """Attention rows summed over the tokens of each bin.

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
    bins: torch.Tensor, positions: torch.Tensor, window: int | None
) -> torch.Tensor:
    """Number of tokens of each bin that a layer sees.

    Args:
        bins: [position, bin, 2], start and stop of every bin.
        positions: [position].
        window: number of tokens that the layer sees, including the position itself;
            None: all tokens.

    Returns:
        [position, bin].
    """
    first = torch.zeros_like(positions) if window is None else positions + 1 - window
    start = torch.maximum(bins[..., 0], first[:, None])
    return (bins[..., 1] - start).clamp_min(0)


def bins_of(binner: TokenBinner, positions: Sequence[int]) -> torch.Tensor:
    """Bins of several positions: [position, bin, 2], start and stop of every bin."""
    spans = [binner.spans(position) for position in positions]
    return torch.tensor(spans, dtype=torch.long).reshape(-1, len(BINS), 2)
