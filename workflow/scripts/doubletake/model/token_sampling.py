"""Choosing the next tokens from logits: temperature and nucleus (top-p) sampling."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen from the logits."""

    temperature: float
    """Divides the logits; 0 takes the most likely token."""
    top_p: float
    """Share of probability that is kept (Holtzman et al. 2020, nucleus sampling)."""
    seed: int
    """The same seed, name and position give the same random number."""


GREEDY = Sampling(temperature=0, top_p=1.0, seed=0)
"""Takes the most likely token."""


def choose_tokens(
    logits: torch.Tensor, uniform: torch.Tensor, sampling: Sampling
) -> torch.Tensor:
    """Next tokens [row] from float32 logits [row, vocabulary] by inverse sampling.

    Tokens are ranked by falling probability and cut to the smallest set that holds
    `top_p`. The random number of a row, `uniform` [row], picks a token of that set. A
    row's choice depends on its logits and its number only, not on the rows beside it.
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    ranked, tokens = torch.sort(
        logits / sampling.temperature, dim=-1, descending=True, stable=True
    )
    mass = torch.softmax(ranked, -1).cumsum(-1, dtype=torch.float64)
    last = (mass < sampling.top_p * mass[:, -1:]).sum(-1, keepdim=True)
    last = last.clamp(max=mass.shape[-1] - 1)
    target = uniform[:, None].to(mass) * mass.gather(-1, last)
    rank = torch.searchsorted(mass, target, right=True).minimum(last)
    return tokens.gather(-1, rank)[:, 0]
