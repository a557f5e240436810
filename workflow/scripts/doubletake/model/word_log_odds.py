"""Log-odds of a group of words as the next token.

A change that all logits share, for example by the scale of the final norm, changes no
probability. So a logit alone says nothing. The log-odds of the words against all other
tokens are the logit of the probability that one of the words comes next.
"""

import torch

from doubletake.model.lens import Lens
from doubletake.model.norm_and_softcap import soft_capped

VOCABULARY_ROWS_AT_ONCE = 16384  # rows of the unembedding in float32 at once


@torch.inference_mode()
def word_log_odds(
    lens: Lens,
    states: torch.Tensor,
    words: torch.Tensor,
    without: torch.Tensor | None = None,
) -> torch.Tensor:
    """Log-odds of the words against all other tokens, in float32: [state].

    Args:
        lens: of the model.
        states: [state, d_model], after the final norm.
        words: [token], ids of the words.
        without: [token], other tokens that do not count, as if they had no mass.
    """
    normed = states.to(lens.W_U.device).float()
    words = words.to(lens.W_U.device)
    left_out = words if without is None else torch.cat([words, without.to(words)])
    others = torch.full(normed.shape[:1], -torch.inf, device=normed.device)
    start = 0
    for rows in lens.W_U.split(VOCABULARY_ROWS_AT_ONCE):
        logits = soft_capped(normed @ rows.float().T, lens.softcap)
        inside = (left_out >= start) & (left_out < start + len(rows))
        here = left_out[inside] - start
        logits[:, here] = -torch.inf
        others = torch.logaddexp(others, logits.logsumexp(-1))
        start += len(rows)
    return (lens.logits(normed, words).logsumexp(-1) - others).cpu()
