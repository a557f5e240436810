"""Directions that read a state as the logit of a group of tokens, position by position.

A direction r reads a state x after the final norm as the logit x . r, before a cap. The
direction of a group at a position is

    r    = (sum over the group of w[t] W_U[t]) - mean over the vocabulary of W_U
    w[t] = exp z[t] / (sum over the group of exp z)

with z the model's final logits at the position. The probabilities of the model do not
change if all logits change alike. Such a common part says nothing about the group, so
the vocabulary's mean is subtracted (TransformerLens: `center_unembed`). The weights are
the gradient of the group's log-sum-exp: what a part adds along r is its first-order
share in the group's log-probability, before the normaliser. Spellings that the model
does not consider at the position do not count.
"""

from collections.abc import Sequence

import torch

from doubletake.model.lens import Lens


def logit_directions(
    lens: Lens, final_resid: torch.Tensor, groups: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Centred directions of the groups, then the mean of the vocabulary.

    A centred logit and the mean of the vocabulary add up to the raw logit.

    Args:
        lens: final norm and unembedding.
        final_resid: [position, d_model], residual stream after the last layer.
        groups: token ids of every group.

    Returns:
        [position, group + 1, d_model], float32.
    """
    normed = lens.normed(final_resid)
    directions = []
    for ids in groups:
        rows = lens.W_U[ids.to(lens.W_U.device)].float()
        # ASSUME: a group's tokens weigh as the model expects them at the position.
        weights = lens.logits(normed, ids).softmax(-1)
        directions.append(weights @ rows - lens.mean_row)
    directions.append(lens.mean_row.expand(len(normed), -1))
    return torch.stack(directions, 1)
