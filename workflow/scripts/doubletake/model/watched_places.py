"""Watched places of a branch: the next token there, and how likely one token is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

UNEMBED_ROWS = 128  # states unembedded at a time, over the whole vocabulary


@dataclass(frozen=True)
class Watch:
    """A place of a branch at which the distribution of the next token is read."""

    place: int
    """Number of suffix tokens before the place; 0: at the cut."""
    token: int
    """The token whose probability is read."""


class NextToken(NamedTuple):
    """What the distribution of the next token says about one token."""

    logprob: float
    """Log-prob of the token (nats)."""
    rank: int
    """Number of tokens with a higher logit; 0: none."""
    best_other_logprob: float
    """Log-prob of the most likely token but this one (nats)."""
    entropy: float
    """Entropy of the distribution (nats)."""
    logit: float
    """Raw logit of the token."""


def next_tokens(logits: torch.Tensor, tokens: Sequence[int]) -> list[NextToken]:
    """What each row of logits says about its token.

    Args:
        logits: `[row, vocabulary]`, float32.
        tokens: one per row.
    """
    index = torch.tensor(tokens, device=logits.device)[:, None]
    own = logits.gather(-1, index)
    rank = (logits > own).sum(-1).tolist()
    logprobs = logits.log_softmax(-1)
    entropy = torch.special.entr(logprobs.exp()).sum(-1).tolist()
    logprob = logprobs.gather(-1, index)[:, 0].tolist()
    best_other = logprobs.scatter(-1, index, -torch.inf).amax(-1).tolist()
    columns = (logprob, rank, best_other, entropy, own[:, 0].tolist())
    return list(map(NextToken, *columns))
