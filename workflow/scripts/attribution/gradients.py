"""Attribution patching: what a part's state at a token does to a metric, by gradients.

The score of a cell (part, layer, token) is the first-order estimate of the metric's
change when the cell's state x is replaced by its mean,

    (mean - x) . d metric / d x

with the gradient at the clean run (Nanda 2023, attribution patching; Kramar et al.
2024, AtP). Negative: the token supports what the metric measures. One forward and one
backward pass give all cells of a batch; parameters are frozen, and each layer's
gradient is reduced to one number per token as soon as it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import See, hooked, replaced
from doubletake.model.lens import Lens
from turns.reading import GROUPS


@dataclass(frozen=True)
class Decision:
    """A position at which the model decides how to go on."""

    trace: str
    event: int
    ids: list[int]
    """The sequence up to the position, which is its last token."""
    predicted: int
    """Most likely next token."""


class Metric:
    """What is attributed: one number per decision, from the final hidden state.

    `difference`: log-prob of the backtrack group minus log-prob of the wrap-up group,
    each the log-sum-exp over the group's tokens; the normaliser cancels, so that only
    these rows of the unembedding are needed. `target`: the raw logit of the most likely
    next token. Logits are in float32, capped where the model caps.
    """

    def __init__(
        self, decoder: Decoder, name: str, groups: dict[str, torch.Tensor]
    ) -> None:
        """Pick the rows of the unembedding.

        Args:
            decoder: the model.
            name: `difference` or `target`.
            groups: token ids by group, `backtrack` and `wrap_up`.
        """
        if name not in ("difference", "target"):
            raise ValueError(f"unknown metric {name!r}")
        self.lens, self.name = Lens.of(decoder), name
        self.sizes = [len(groups[group]) for group in GROUPS]
        self.tokens = torch.cat([groups[group] for group in GROUPS]).to(decoder.device)

    def __call__(
        self, normed: torch.Tensor, decisions: Sequence[Decision]
    ) -> torch.Tensor:
        """The metric of every decision.

        Args:
            normed: [decision, d_model], final hidden states after the final norm.
            decisions: in the same order.

        Returns:
            [decision], float32.
        """
        if self.name == "difference":
            logits = self.lens.logits(normed, self.tokens)
            backtrack, wrap_up = logits.split(self.sizes, 1)
            return backtrack.logsumexp(1) - wrap_up.logsumexp(1)
        predicted = torch.tensor([item.predicted for item in decisions])
        return self.lens.logits(normed, predicted).diagonal()


@dataclass(frozen=True)
class Estimate:
    """Scores of a batch of decisions; everything on the CPU, float32."""

    scores: dict[str, torch.Tensor]
    """By part: [decision, layer, token]; 0 behind a decision's own position."""
    values: torch.Tensor
    """[decision], the metric at the clean run."""


def final_states(
    decoder: Decoder, ids: torch.Tensor, decisions: Sequence[Decision]
) -> torch.Tensor:
    """Forward pass; the final hidden state at every decision: [decision, d_model]."""
    normed = decoder.base(input_ids=ids, use_cache=False).last_hidden_state
    last = torch.tensor([len(item.ids) - 1 for item in decisions], device=ids.device)
    return normed[torch.arange(len(decisions), device=ids.device), last]


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
        means: by part (`resid`, `attn_out`, `mlp_out`): [layer, d_model], float32, on
            the model's device; only these parts are scored.
        decisions: the batch.
    """
    ids = padded([item.ids for item in decisions]).to(decoder.device)
    scores = _no_scores(decoder, means, ids)

    watch = _watcher(means, scores)
    with torch.enable_grad(), replaced(decoder, _start), hooked(decoder, watch):
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

    The embeddings `resid[0]` of all tokens together go from clean to their mean; at
    each of `steps` points (midpoints of equal parts) the model runs forward and
    backward, and at every layer the mean of the gradients is multiplied with (mean -
    clean). At layer 0 this is integrated gradients (Sundararajan et al. 2017): the
    scores add up to the metric's change when all embeddings are replaced, up to the
    steps. At later layers nothing of that kind holds.

    Args:
        decoder: the model; no parameter requires a gradient.
        metric: what is attributed.
        means: as for `attribute`; `resid` must be there.
        decisions: the batch.
        steps: points on the path.
    """
    ids = padded([item.ids for item in decisions]).to(decoder.device)
    scores = _no_scores(decoder, means, ids)
    clean: dict[tuple[str, int], torch.Tensor] = {}

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        if name in means and layer < decoder.n_layers:
            clean[name, layer] = states.clone()

    with torch.no_grad(), hooked(decoder, keep):
        values = metric(final_states(decoder, ids, decisions), decisions)
    start, end = clean["resid", 0], means["resid"][0]

    watch = _watcher(means, scores, clean, 1 / steps)
    for step in range(steps):
        share = (step + 0.5) / steps
        point = (start + share * (end - start)).to(start.dtype).requires_grad_()
        move = partial(_replace_start, point)
        with torch.enable_grad(), replaced(decoder, move), hooked(decoder, watch):
            states = final_states(decoder, ids, decisions)
            metric(states, decisions).sum().backward()
    return _estimate(scores, values)


def _watcher(
    means: dict[str, torch.Tensor],
    scores: dict[str, torch.Tensor],
    clean: dict[tuple[str, int], torch.Tensor] | None = None,
    weight: float = 1.0,
) -> See:
    """For `hooked`: adds weight (mean - clean) . gradient to every cell's score.

    The gradient of a layer is there for as long as this takes. Without `clean`, the
    states that pass are the clean ones.
    """

    def see(name: str, layer: int, states: torch.Tensor) -> None:
        if name not in means or layer == len(scores[name]):
            return
        mean, place = means[name][layer], scores[name][layer]
        origin = states.detach() if clean is None else clean[name, layer]

        def reduce(gradient: torch.Tensor) -> None:
            place.add_(((mean - origin) * gradient).sum(-1), alpha=weight)

        states.register_hook(reduce)

    return see


def _start(name: str, layer: int, states: torch.Tensor) -> torch.Tensor | None:
    """Let the gradient reach `resid[0]`, before which nothing requires one."""
    if (name, layer) != ("resid", 0):
        return None
    return states.detach().requires_grad_()


def _replace_start(
    point: torch.Tensor, name: str, layer: int, _: torch.Tensor
) -> torch.Tensor | None:
    return point if (name, layer) == ("resid", 0) else None


def _no_scores(
    decoder: Decoder, means: dict[str, torch.Tensor], ids: torch.Tensor
) -> dict[str, torch.Tensor]:
    """By part: zeros, [layer, decision, token]."""
    shape = (decoder.n_layers, *ids.shape)
    return {name: torch.zeros(shape, device=ids.device) for name in means}


def _estimate(scores: dict[str, torch.Tensor], values: torch.Tensor) -> Estimate:
    return Estimate(
        {name: found.transpose(0, 1).cpu() for name, found in scores.items()},
        values.detach().cpu(),
    )
