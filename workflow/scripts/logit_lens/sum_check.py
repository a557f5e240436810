"""Check that the shares of all parts add up to the logits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
import torch

from doubletake.model.lens import UNEMBED_ROWS, Lens
from doubletake.model.norm_and_softcap import soft_capped
from doubletake.model.self_proof import PROOF_BOUND
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow, verification_of

STAGE = "logit_lens"


@dataclass
class SumCheck:
    """Whether the shares of all positions add up to the logits."""

    error: Largest = field(default_factory=Largest)
    """Largest |sum of shares - logit|, relative to the position's largest logit."""

    def add(self, total: torch.Tensor, logits: torch.Tensor) -> None:
        """Compare sums of shares with logits, both [position, direction]."""
        size = logits.abs().amax(-1).clamp_min(1e-30)
        relative = (total - logits).abs().amax(-1) / size
        if len(relative):
            self.error.add(relative.max().item(), len(relative))

    def rows(self, dtype: str) -> pl.DataFrame:
        """`doubletake.tables.verification.VERIFICATION`."""
        figure = VerificationRow(
            check="embedding, attention and MLP shares added up, against the logits",
            statistic="max relative error",
            value=self.error.value,
            unit="1",
            n=self.error.n,
            bound=PROOF_BOUND[dtype],
            merge="max",
        )
        return verification_of(STAGE, [figure])


@torch.inference_mode()
def logits_of_groups(
    lens: Lens, final_resid: torch.Tensor, groups: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Centred logits of the groups and the vocabulary's mean, from all logits.

    Unlike `logit_directions`, it computes the logit of every token of the vocabulary.

    Args:
        lens: final norm and unembedding.
        final_resid: [position, d_model], residual stream after the last layer.
        groups: token ids of every group.

    Returns:
        [position, group + 1], before a cap.
    """
    parts = [torch.zeros(0, len(groups) + 1, device=final_resid.device)]
    for normed in lens.normed(final_resid).split(UNEMBED_ROWS):
        logits = lens.uncapped(normed)
        mean = logits.mean(-1)
        centred = []
        for ids in groups:
            of_group = logits[:, ids.to(logits.device)]
            weights = soft_capped(of_group, lens.softcap).softmax(-1)
            centred.append((weights * of_group).sum(-1) - mean)
        parts.append(torch.stack([*centred, mean], -1))
    return torch.cat(parts)
