"""Attribution by gradients against plain autograd, and against a linear model."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from peak_memory import peak_bytes
from tiny_architectures import ARCHITECTURES, settings_of
from torch import nn

from attribution.gradients import (
    attribute,
    attribute_along_path,
    batch_bytes,
    final_states,
)
from doubletake.model import turn_metric as metric_module
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.patching import Cell, exact_changes
from doubletake.model.turn_metric import METRICS, Decision, Metric

GROUPS = {"backtrack": torch.tensor([3, 17, 40]), "wrap_up": torch.tensor([5, 60])}
LENGTHS = (13, 7, 10)


def decisions_of(lengths: tuple[int, ...] = LENGTHS) -> list[Decision]:
    generator = torch.Generator().manual_seed(1)
    return [
        Decision(
            f"{k}/0", k, torch.randint(1, 96, (n,), generator=generator).tolist(), 9 + k
        )
        for k, n in enumerate(lengths)
    ]


def random_means(decoder: Decoder, seed: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (decoder.n_layers, decoder.d_model)
    return {
        name: torch.randn(shape, generator=generator)
        for name in ("resid", "attn_out", "mlp_out")
    }


@pytest.fixture(scope="module")
def decoders(architectures):
    return {
        name: load_decoder(settings_of(folder))
        for name, folder in architectures.items()
    }


@pytest.fixture(scope="module")
def llama(decoders):
    return decoders["llama"]


def plain_metric(name: str, logits: torch.Tensor, predicted: int) -> torch.Tensor:
    """The definition, on all logits of the last position."""
    if name == "target":
        return logits[predicted]
    logprobs = logits.log_softmax(-1)
    groups = [logprobs[GROUPS[group]].exp().sum().log() for group in GROUPS]
    if name == "difference":
        return groups[0] - groups[1]
    return groups[0] - (1 - groups[0].exp()).log()


def plain_scores(
    decoder: Decoder, name: str, item: Decision, mean: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Scores by autograd of the whole model, from the library's own hidden states."""
    ids = torch.tensor([item.ids])
    embedded = decoder.hf.get_input_embeddings()(ids).detach().requires_grad_()
    with torch.enable_grad():
        outputs = decoder.hf(
            inputs_embeds=embedded, output_hidden_states=True, use_cache=False
        )
        states = outputs.hidden_states[: decoder.n_layers]
        value = plain_metric(name, outputs.logits[0, -1].float(), item.predicted)
        gradients = torch.autograd.grad(value, states)
    scores = [
        ((mean[layer] - state) * gradient)[0].sum(-1).detach()
        for layer, (state, gradient) in enumerate(zip(states, gradients, strict=True))
    ]
    return torch.stack(scores), value.item()


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_scores_equal_autograd_of_the_full_logits(decoders, architecture, name):
    decoder, decisions = decoders[architecture], decisions_of()
    means = random_means(decoder)
    found = attribute(decoder, Metric(decoder, name, GROUPS), means, decisions)
    for k, item in enumerate(decisions):
        wanted, value = plain_scores(decoder, name, item, means["resid"])
        scores = found.scores["resid"][k]
        size = wanted.abs().max()
        assert size > 1e-3
        assert torch.allclose(
            scores[:, : len(item.ids)], wanted, atol=2e-4 * float(size), rtol=1e-3
        )
        assert not scores[:, len(item.ids) :].any()
        assert found.metric_values[k].item() == pytest.approx(value, abs=1e-4)


def test_the_vocabulary_in_blocks_gives_the_same(llama, monkeypatch):
    """The last block would hold backtrack words only, if blocks were not equal."""
    (item,) = decisions_of((9,))
    means = random_means(llama)
    groups = GROUPS | {"backtrack": torch.tensor([3, 94, 95])}
    assert len(llama.unembed.weight) == 96
    whole = attribute(llama, Metric(llama, "log_odds", groups), means, [item])
    monkeypatch.setattr(metric_module, "BLOCK", 47)
    metric = Metric(llama, "log_odds", groups)
    assert len(metric.blocks) == 3
    parts = attribute(llama, metric, means, [item])
    assert torch.allclose(whole.metric_values, parts.metric_values, atol=1e-5)
    assert whole.scores["resid"].isfinite().all()
    assert torch.allclose(whole.scores["resid"], parts.scores["resid"], atol=1e-5)


def test_scores_are_the_slope_of_exact_patching(llama):
    """A hundredth of the way to the mean changes the metric by a hundredth."""
    (item,) = decisions_of((9,))
    metric, means = Metric(llama, "log_odds", GROUPS), random_means(llama)
    found = attribute(llama, metric, means, [item])
    for component, layer, token in [
        ("attn_out", 0, 3),
        ("mlp_out", 1, 8),
        ("resid", 2, 5),
    ]:
        with torch.no_grad():
            near, _ = exact_changes(
                llama,
                metric,
                {component: moved(llama, item, component, layer, token, means, 0.01)},
                item,
                [Cell(component, layer, token)],
                1.0,
            )
        score = found.scores[component][0, layer, token].item()
        assert near[0] == pytest.approx(0.01 * score, rel=0.1, abs=2e-5)


def moved(decoder, item, component, layer, token, means, share) -> torch.Tensor:
    """Means in which one state is replaced: it has moved this share of the way."""
    from doubletake.model.hooks import record

    with record(decoder) as seen:
        decoder.base(input_ids=torch.tensor([item.ids]), use_cache=False)
    values = means[component].clone()
    state = seen[component][layer][0, token]
    values[layer] = state + share * (means[component][layer] - state)
    return values


def test_a_batch_gives_what_each_decision_gives_alone(llama):
    decisions, means = decisions_of(), random_means(llama)
    metric = Metric(llama, "log_odds", GROUPS)
    for estimate in (attribute, lambda *a: attribute_along_path(*a, steps=3)):
        together = estimate(llama, metric, means, decisions)
        for k, item in enumerate(decisions):
            alone = estimate(llama, metric, means, [item])
            for component, scores in alone.scores.items():
                found = together.scores[component][k, :, : len(item.ids)]
                assert torch.allclose(found, scores[0], atol=1e-4, rtol=1e-3)


def test_the_model_is_left_as_it_was(llama):
    before = {name: w.clone() for name, w in llama.hf.named_parameters()}
    hooks = hooks_of(llama)
    metric = Metric(llama, "log_odds", GROUPS)
    attribute(llama, metric, random_means(llama), decisions_of())
    for name, weight in llama.hf.named_parameters():
        assert weight.grad is None
        assert torch.equal(weight, before[name])
    assert hooks_of(llama) == hooks


def hooks_of(decoder: Decoder) -> int:
    """Hooks on all modules; the library has some of its own."""
    modules = list(decoder.hf.modules())
    return sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in modules)


class Straight(nn.Module):
    """A linear map instead of an MLP."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.map = nn.Linear(width, width, bias=False)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.map(states)


@pytest.fixture
def linear(architectures) -> Decoder:
    """A Llama without norms, uniform attention and linear MLPs: linear as a whole."""
    decoder = load_decoder(settings_of(architectures["llama"]))
    torch.manual_seed(3)
    for layer in decoder.layers:
        layer.input_layernorm = nn.Identity()
        layer.post_attention_layernorm = nn.Identity()
        layer.self_attn.q_proj.weight.data.zero_()
        layer.mlp = Straight(decoder.d_model).requires_grad_(False)
    norm = nn.Identity()
    norm.weight = nn.Parameter(torch.ones(decoder.d_model), requires_grad=False)
    decoder.hf.model.norm = norm
    decoder.__dict__.pop("final_norm", None)
    return decoder


@pytest.mark.parametrize("method", ["gradient", "path"])
def test_for_a_linear_model_it_equals_exact_patching(linear, method):
    (item,) = decisions_of((8,))
    metric, means = Metric(linear, "target", GROUPS), random_means(linear)
    if method == "gradient":
        found = attribute(linear, metric, means, [item])
    else:
        found = attribute_along_path(linear, metric, means, [item], steps=2)
    cells = [
        Cell(component, layer, token)
        for component in means
        for layer in range(linear.n_layers)
        for token in range(len(item.ids))
    ]
    exact, clean = exact_changes(linear, metric, means, item, cells, 1.0)
    scores = [found.scores[c.component][0, c.layer, c.token].item() for c in cells]
    assert max(map(abs, exact)) > 0.1
    assert scores == pytest.approx(exact, abs=1e-4)
    assert found.metric_values.item() == pytest.approx(clean, abs=1e-5)


def test_along_the_path_the_scores_of_the_embeddings_add_up(llama):
    (item,) = decisions_of((7,))
    metric, means = Metric(llama, "log_odds", GROUPS), random_means(llama)
    found = attribute_along_path(llama, metric, means, [item], steps=400)
    from doubletake.model.hooks import replaced

    def put(name, layer, states):
        if (name, layer) == ("resid", 0):
            return means["resid"][0].expand_as(states).clone()
        return None

    ids = torch.tensor([item.ids])
    with torch.no_grad(), replaced(llama, put):
        away = metric(final_states(llama, ids, [item]), [item]).item()
    change = away - found.metric_values.item()
    total = found.scores["resid"][0, 0].sum().item()
    assert abs(change) > 0.1
    assert total == pytest.approx(change, rel=0.02)
    few = attribute(llama, metric, means, [item]).scores["resid"][0, 0].sum().item()
    assert abs(few - change) > abs(total - change)


@contextmanager
def saved_bytes() -> Iterator[list[int]]:
    """Bytes of all tensors that autograd keeps for the backward pass."""
    seen: dict[int, int] = {}
    total = [0]

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        total[0] = sum(seen.values())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield total


def test_the_log_odds_keep_no_logits_for_the_backward_pass(llama):
    """With a state of a thousand positions, the logits would be the largest tensor."""
    metric = Metric(llama, "log_odds", GROUPS)
    states = torch.randn(1000, llama.d_model).requires_grad_()
    with saved_bytes() as total:
        metric(states, [])
    logits = 1000 * len(llama.unembed.weight) * 4
    fixed = sum(
        tensor.untyped_storage().nbytes() for tensor in (states, metric.lens.W_U)
    )
    assert total[0] < fixed + 0.2 * logits


def peak_for(decoder: Decoder, tokens: int) -> int:
    metric, means = Metric(decoder, "log_odds", GROUPS), random_means(decoder)
    return peak_bytes(
        lambda: attribute(decoder, metric, means, decisions_of((tokens,)))
    )


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_memory_grows_with_the_tokens_and_keeps_to_the_budget(decoders, architecture):
    decoder = decoders[architecture]
    short, long = peak_for(decoder, 48), peak_for(decoder, 96)
    more = long - short  # of 48 tokens; constant parts cancel
    again = peak_for(decoder, 120) - long
    assert again == pytest.approx(more / 2, rel=0.1)
    means, item = random_means(decoder), decisions_of((48,))
    assert 0.8 < more / batch_bytes(decoder, "gradient", means, item) < 1.2
