"""Attribution patching: the effect of every state on a metric, estimated by gradients.

A cell is a component, a layer and a token. Its score is the first-order estimate of the
metric's change when the cell's state x is replaced by its mean,

    (mean - x) . d metric / d x

with the gradient at the clean run (Nanda 2023, attribution patching; Kramar et al.
2024, AtP). A negative score: the token supports what the metric measures. One forward
and one backward pass give all cells of a batch. The parameters are frozen, and each
layer's gradient is reduced to one number per token as soon as it is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from doubletake.model.batch_memory import FLOAT32, Widths, backward_bytes
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import See, hooked, replaced
from doubletake.model.turn_metric import BLOCK, Decision, Metric, final_states


@dataclass(frozen=True)
class Estimate:
    """Scores of a batch of positions, float32 on the CPU."""

    scores: dict[str, torch.Tensor]
    """By component: [position, layer, token]; 0 after the position."""
    metric_values: torch.Tensor
    """[position], the metric at the clean run."""


def batch_bytes(
    decoder: Decoder,
    method: str,
    means: dict[str, torch.Tensor],
    batch: Sequence[Decision],
) -> float:
    """Peak memory of `attribute` and `attribute_along_path` beside the model, in bytes.

    Args:
        decoder: the model.
        method: `gradient` or `integrated`.
        means: as for `attribute`.
        batch: the batch, the longest first.
    """
    w = Widths.of(decoder)
    # The input of each layer is kept for its gradient anyway.
    kept = len(means) - ("resid" in means)
    if method == "integrated" and w.size == FLOAT32:
        kept += 1  # the clean residual stream
    # A block of the unembedding in float32, its logits and their exponentials.
    copied = w.d if w.size < FLOAT32 else 0
    block = min(BLOCK, w.vocabulary) * (copied + 2 * len(batch)) * FLOAT32
    length = len(batch[0].ids)
    return backward_bytes(w, len(batch), length, kept, between=block)


def attribute(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decisions: Sequence[Decision],
) -> Estimate:
    """Scores of all cells, with the gradient at the clean run.

    Args:
        decoder: the model; no parameter requires a gradient.
        metric: what is attributed.
        means: by component (`resid`, `attn_out`, `mlp_out`): [layer, d_model], float32,
            on the model's device; only these components are scored.
        decisions: the batch.
    """
    ids = padded([item.ids for item in decisions]).to(decoder.device)
    scores = _zero_scores(decoder, means, ids)

    add = _score_adder(means, scores)
    track = _track_embeddings
    with torch.enable_grad(), replaced(decoder, track), hooked(decoder, add):
        values = metric(final_states(decoder, ids, decisions), decisions)
        values.sum().backward()
    return _estimate(scores, values)


def attribute_along_path(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decisions: Sequence[Decision],
    steps: int,
) -> Estimate:
    """Scores with gradients averaged along a path: EAP-IG (inputs), Hanna et al. 2024.

    The embeddings `resid[0]` of all tokens move together from their clean states to
    their mean. The model runs forward and backward at `steps` points of this path, the
    midpoints of equal parts. At every layer the mean of the gradients is multiplied by
    (mean - clean). At layer 0 this is integrated gradients (Sundararajan et al. 2017):
    the scores add up to the metric's change when all embeddings are replaced, apart
    from the error of a finite number of steps. At later layers there is no such sum
    rule.

    Args:
        decoder: the model; no parameter requires a gradient.
        metric: what is attributed.
        means: as for `attribute`; `resid` is required.
        decisions: the batch.
        steps: number of points on the path.
    """
    ids = padded([item.ids for item in decisions]).to(decoder.device)
    scores = _zero_scores(decoder, means, ids)
    clean: dict[tuple[str, int], torch.Tensor] = {}

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        if name in means and layer < decoder.n_layers:
            clean[name, layer] = states.clone()

    with torch.no_grad(), hooked(decoder, keep):
        values = metric(final_states(decoder, ids, decisions), decisions)
    start, end = clean["resid", 0], means["resid"][0]

    add = _score_adder(means, scores, clean, 1 / steps)
    for step in range(steps):
        # ASSUME: a straight path, on which all tokens move together.
        share = (step + 0.5) / steps
        point = (start + share * (end - start)).to(start.dtype).requires_grad_()
        move = partial(_replace_embeddings, point)
        with torch.enable_grad(), replaced(decoder, move), hooked(decoder, add):
            states = final_states(decoder, ids, decisions)
            metric(states, decisions).sum().backward()
    return _estimate(scores, values)


def _score_adder(
    means: dict[str, torch.Tensor],
    scores: dict[str, torch.Tensor],
    clean: dict[tuple[str, int], torch.Tensor] | None = None,
    weight: float = 1.0,
) -> See:
    """A hook for `hooked`: adds weight (mean - clean) . gradient to every cell's score.

    The gradient of a layer exists only while its scores are added. Without `clean`, the
    states of the pass itself are the clean states.
    """

    def see(name: str, layer: int, states: torch.Tensor) -> None:
        if name not in means or layer == len(scores[name]):
            return
        mean, layer_scores = means[name][layer], scores[name][layer]
        origin = states.detach() if clean is None else clean[name, layer]

        def reduce(gradient: torch.Tensor) -> None:
            layer_scores.add_(((mean - origin) * gradient).sum(-1), alpha=weight)

        states.register_hook(reduce)

    return see


def _track_embeddings(
    name: str, layer: int, states: torch.Tensor
) -> torch.Tensor | None:
    """Let `resid[0]` require a gradient: frozen parameters require no gradient."""
    if (name, layer) != ("resid", 0):
        return None
    return states.detach().requires_grad_()


def _replace_embeddings(
    point: torch.Tensor, name: str, layer: int, _: torch.Tensor
) -> torch.Tensor | None:
    return point if (name, layer) == ("resid", 0) else None


def _zero_scores(
    decoder: Decoder, means: dict[str, torch.Tensor], ids: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Zeros by component: [layer, position, token]."""
    shape = (decoder.n_layers, *ids.shape)
    return {name: torch.zeros(shape, device=ids.device) for name in means}


def _estimate(scores: dict[str, torch.Tensor], values: torch.Tensor) -> Estimate:
    return Estimate(
        {name: layers.transpose(0, 1).cpu() for name, layers in scores.items()},
        values.detach().cpu(),
    )
