"""How the next token is chosen."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen from the logits."""

    temperature: float
    """Divides the logits; 0 takes the likeliest token."""
    top_p: float
    """Share of probability that is kept (Holtzman et al. 2020, nucleus sampling)."""
    seed: int
    """With the row's id and the position it fixes every random number."""


def choose(
    logits: torch.Tensor, uniform: torch.Tensor, sampling: Sampling
) -> torch.Tensor:
    """Next tokens [row] from float32 logits [row, vocabulary] by inverse sampling.

    Tokens are laid out by falling probability, cut to the smallest set that holds
    `top_p`; `uniform` [row] picks the place. One number per token makes the choice
    independent of the vocabulary's order and of the rows beside it.
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
    place = torch.searchsorted(mass, target, right=True).minimum(last)
    return tokens.gather(-1, place)[:, 0]
