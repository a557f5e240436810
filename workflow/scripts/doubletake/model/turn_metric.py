"""The metric that is attributed: one number per position, from its final hidden state.

With z the logits at the position, B the backtrack words, W the wrap-up words and V the
vocabulary:

    log_odds    log(sum over B of exp z) - log(sum over V without B of exp z)
    difference  log(sum over B of exp z) - log(sum over W of exp z)
    target      z of the most likely next token that is not white space

`log_odds` is log P(B) - log(1 - P(B)). `difference` says nothing about words that
neither turn back nor wrap up. `target` is the published metric. Logits are in float32,
and are capped where the model caps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.utils.checkpoint import checkpoint

from doubletake.model.decoder import Decoder
from doubletake.model.lens import Lens
from doubletake.model.norm_and_softcap import soft_capped

METRICS = ("log_odds", "difference", "target")
BLOCK = 8192  # tokens of the vocabulary that are unembedded at a time


@dataclass(frozen=True)
class Decision:
    """A position at which the model decides how to go on."""

    trace: str
    event: int
    ids: list[int]
    """Token ids of the sequence; the position is its last token."""
    predicted: int
    """Id of the most likely next token that is not white space."""


class Metric:
    """One of the `METRICS`, as a differentiable function of final hidden states."""

    def __init__(
        self, decoder: Decoder, name: str, groups: dict[str, torch.Tensor]
    ) -> None:
        """Prepare the rows of the unembedding.

        Args:
            decoder: the model.
            name: one of `METRICS`.
            groups: token ids of the groups `backtrack` and `wrap_up`.

        Raises:
            ValueError: the metric is not one of `METRICS`.
        """
        if name not in METRICS:
            raise ValueError(f"unknown metric {name!r}")
        self.lens, self.name = Lens.of(decoder), name
        # ASSUME: the single tokens of a group represent turning back or wrapping up.
        self.backtrack, self.wrap_up = groups["backtrack"], groups["wrap_up"]
        W_U = self.lens.W_U
        is_backtrack = torch.zeros(len(W_U), dtype=torch.bool, device=W_U.device)
        is_backtrack[self.backtrack] = True
        # Equal blocks, so that none is so small that it holds backtrack words only.
        count = -(-len(W_U) // BLOCK)
        self.blocks = list(
            zip(W_U.tensor_split(count), is_backtrack.tensor_split(count), strict=True)
        )

    def __call__(
        self, normed: torch.Tensor, decisions: Sequence[Decision]
    ) -> torch.Tensor:
        """The metric of every position.

        Args:
            normed: [position, d_model], final hidden states after the final norm.
            decisions: the positions of these states, in the same order.

        Returns:
            [position], float32.
        """
        if self.name == "target":
            predicted = torch.tensor([item.predicted for item in decisions])
            return self.lens.logits(normed, predicted).diagonal()
        backtrack = self.lens.logits(normed, self.backtrack).logsumexp(1)
        if self.name == "difference":
            return backtrack - self.lens.logits(normed, self.wrap_up).logsumexp(1)
        return backtrack - self._all_others(normed)

    def _all_others(self, normed: torch.Tensor) -> torch.Tensor:
        """Log-sum-exp over all tokens but the backtrack words: [position].

        A block's logits are computed again in the backward pass, so that memory does
        not grow with the vocabulary.
        """
        parts = [
            checkpoint(
                *(self._others_of, normed, *block),
                use_reentrant=False,
                preserve_rng_state=False,
            )
            for block in self.blocks
        ]
        return torch.stack(parts).logsumexp(0)

    def _others_of(
        self, normed: torch.Tensor, rows: torch.Tensor, is_backtrack: torch.Tensor
    ) -> torch.Tensor:
        logits = soft_capped(normed.float() @ rows.float().T, self.lens.softcap)
        return logits.masked_fill(is_backtrack, -torch.inf).logsumexp(1)


def final_states(
    decoder: Decoder, ids: torch.Tensor, decisions: Sequence[Decision]
) -> torch.Tensor:
    """Final hidden states at the positions of a batch: [position, d_model]."""
    normed = decoder.base(input_ids=ids, use_cache=False).last_hidden_state
    last = torch.tensor([len(item.ids) - 1 for item in decisions], device=ids.device)
    return normed[torch.arange(len(decisions), device=ids.device), last]
