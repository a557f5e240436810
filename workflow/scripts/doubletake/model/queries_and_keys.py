"""Computes attention rows of one layer from its queries and keys."""

from dataclasses import dataclass

import torch
from torch.nn.functional import scaled_dot_product_attention

from doubletake.model.norm_and_softcap import soft_capped

QUERY_BLOCK = 128  # queries that attend at once where a mask is needed


@dataclass(frozen=True)
class QueriesAndKeys:
    """Queries and keys of one layer, and how the layer turns them into weights."""

    query: torch.Tensor
    """[sequence, head, token, d_head]."""
    key: torch.Tensor
    """[sequence, key head, token, d_head]. Each key head serves a group of consecutive
    heads; all groups have the same size."""
    scaling: float
    """Factor of the scores."""
    softcap: float | None
    """Cap c of the scores, c tanh(scores / c)."""
    window: int | None
    """Number of tokens that a query sees, including its own; None: all before it."""
    sinks: torch.Tensor | None = None
    """[head], scores of the attention sinks: each head has one score more than tokens,
    which takes a share of the attention to no token (Xiao et al. 2024; gpt-oss)."""

    def scores(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Scores before the mask: [..., key head, query, key]."""
        scores = query @ key.transpose(-1, -2) * self.scaling
        return soft_capped(scores, self.softcap)

    def hidden(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Which keys each query does not see: [query, key].

        Args:
            queries: [query], token indices.
            keys: [key], token indices.
        """
        ahead = keys > queries[:, None]
        if self.window is None:
            return ahead
        return ahead | (keys <= queries[:, None] - self.window)

    def weights_of(
        self, sequence: int, positions: torch.Tensor, tokens: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attention weights of some positions over the first tokens of a sequence.

        Args:
            sequence: index in the batch.
            positions: [row].
            tokens: number of first tokens.

        Returns:
            Of the tokens: [row, head, token]. Of the sinks: [row, head]; None without
            sinks. Both are float32.
        """
        key = self.key[sequence, :, :tokens].float()
        query = self.query[sequence, :, positions].float()  # [head, row, d_head]
        heads, rows, width = query.shape
        grouped = query.reshape(len(key), -1, width)  # rows of a key head's heads
        scores = self.scores(grouped, key).view(heads, rows, tokens)
        hidden = self.hidden(positions, torch.arange(tokens, device=positions.device))
        weights = self._softmax(scores.masked_fill_(hidden, -torch.inf))
        rows_first = weights.transpose(0, 1)
        sink = None if self.sinks is None else rows_first[..., tokens]
        return rows_first[..., :tokens], sink

    def _softmax(self, scores: torch.Tensor) -> torch.Tensor:
        """Weights [..., head, query, token] in float32; a sink comes last."""
        if self.sinks is None:
            return scores.softmax(-1, dtype=torch.float32)
        sinks = self.sinks.to(scores.dtype)[:, None, None]
        sinks = sinks.expand(*scores.shape[:-1], 1)
        return torch.cat([scores, sinks], -1).softmax(-1, dtype=torch.float32)

    def attend(self, value: torch.Tensor) -> torch.Tensor:
        """Output of the layer's attention, computed in blocks of queries.

        Args:
            value: [sequence, key head, token, d_head].

        Returns:
            [sequence, token, head, d_head].
        """
        batch, heads, tokens, _ = self.query.shape
        output = self.query.new_empty(batch, tokens, heads, value.shape[-1])
        indices = torch.arange(tokens, device=value.device)
        for start in range(0, tokens, QUERY_BLOCK):
            stop = min(start + QUERY_BLOCK, tokens)
            first = 0 if self.window is None else max(0, start + 1 - self.window)
            hidden = self.hidden(indices[start:stop], indices[first:stop])
            parts = (
                self.query[:, :, start:stop],
                self.key[:, :, first:stop],
                value[:, :, first:stop],
            )
            block = self._attend_block(*parts, hidden)
            output[:, start:stop] = block.transpose(1, 2)
        return output

    def _attend_block(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        hidden: torch.Tensor,
    ) -> torch.Tensor:
        """Attention output of one block of queries: [sequence, head, query, d_head]."""
        if self.softcap is None and self.sinks is None:
            return scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=~hidden,
                scale=self.scaling,
                enable_gqa=query.shape[1] != key.shape[1],
            )
        batch, heads, queries, width = query.shape
        grouped = query.reshape(batch, key.shape[1], -1, width)
        scores = self.scores(grouped, key).view(batch, heads, queries, -1)
        scores = scores.masked_fill_(hidden, -torch.inf)
        weights = self._softmax(scores)[..., : key.shape[2]].to(value.dtype)
        mixed = weights.view(batch, key.shape[1], -1, key.shape[2]) @ value
        return mixed.view(batch, heads, queries, -1)
