"""Means, sizes and gradients on the fit problems, against plain passes."""

import pytest
import torch
from tiny_architectures import settings_of

from ablation.activity import FitThought, Writing, measured_activity
from ablation.gradients import mean_support, support
from ablation.interventions import projections, set_to
from ablation.targets import MEAN, PROJECT, ZERO
from doubletake.model.hooks import projected, record, registered
from doubletake.model.loading import load_decoder
from doubletake.model.value_vectors import value_vectors
from doubletake.running.logs import Progress

THOUGHTS = [
    FitThought("a/0", list(range(6, 26)), (5, 18), (8, 12), (9,)),
    FitThought("b/0", list(range(40, 55)), (4, 15), (7,), (10, 12)),
]
WORDS, WHITE_SPACE = torch.tensor([3, 17, 40]), torch.tensor([7, 8])


@pytest.fixture(params=["llama", "gemma2", "mixtral"])
def decoder(request, architectures):
    return load_decoder(settings_of(architectures[request.param]))


def states_of(decoder, ids):
    """Inputs of output projections and down-projections, and the residual stream."""
    heads, units = {}, {}
    dense = decoder.layout.mlp_down is not None
    handles = [
        decoder.mlp_down(k).register_forward_pre_hook(
            lambda _, inputs, k=k: units.__setitem__(k, inputs[0][0])
        )
        for k in range(decoder.n_layers if dense else 0)
    ]
    with (
        torch.no_grad(),
        registered(handles),
        projected(decoder, lambda k, z: heads.__setitem__(k, z[0])),
        record(decoder) as seen,
    ):
        decoder.base(torch.tensor([ids]), use_cache=False)
    return heads, units, [states[0] for states in seen["resid"]]


def test_sums_are_those_of_plain_passes(decoder):
    found = measured_activity(decoder, THOUGHTS, 0.1, Progress(2, "thoughts"))
    parts = [states_of(decoder, one.ids) for one in THOUGHTS]
    assert (found.tokens, found.boundaries, found.backtracks) == (24, 3, 3)
    assert len(found.units) == len(parts[0][1])
    for layer in range(decoder.n_layers):
        inside = [
            heads[layer][slice(*one.thought)]
            for one, (heads, _, _) in zip(THOUGHTS, parts, strict=True)
        ]
        torch.testing.assert_close(
            found.mean("heads", layer), torch.cat(inside).mean(0), atol=1e-5, rtol=1e-4
        )
    for layer in range(len(found.units)):
        acts = torch.stack([parts[0][1][layer][9], *parts[1][1][layer][[10, 12]]])
        torch.testing.assert_close(
            found.at_backtracks(layer).float(), acts.mean(0), atol=1e-5, rtol=1e-4
        )
        acts = torch.cat([parts[0][1][layer][[8, 12]], parts[1][1][layer][[7]]])
        norms = value_vectors(decoder, layer).norm(dim=-1)
        torch.testing.assert_close(
            found.sizes("units", layer).float(),
            acts.abs().mean(0) * norms,
            atol=1e-5,
            rtol=1e-4,
        )
    after = torch.cat([parts[0][2][2][[8, 12]], parts[1][2][2][[7]]]).mean(0)
    torch.testing.assert_close(
        found.resid_after_arrivals(2), after, atol=1e-5, rtol=1e-4
    )


def test_heads_write_their_part_of_the_output_projection(decoder):
    heads, _, _ = states_of(decoder, THOUGHTS[0].ids)
    z, projection = heads[1][4:6], decoder.attention_out(1)
    found = Writing(decoder).of_heads(1, z)
    width = z.shape[1] // 4
    for head in range(4):
        alone = torch.zeros_like(z)
        part = slice(head * width, (head + 1) * width)
        alone[:, part] = z[:, part]
        wrote = alone @ projection.weight.T * decoder.write_multiplier
        torch.testing.assert_close(found[:, head], wrote.norm(dim=-1))


def test_support_is_the_slope_of_the_log_odds(decoder):
    """Scaling a head or a unit at the last token by 1 - e changes f by -e support."""
    ids, step = THOUGHTS[0].ids, 1e-2
    found = support(decoder, ids, WORDS, WHITE_SPACE)

    def log_odds(module, chosen, factor):
        def hook(_, inputs):
            states = inputs[0].clone()
            states[0, -1, chosen] *= factor
            return (states,)

        with torch.no_grad(), registered([module.register_forward_pre_hook(hook)]):
            logits = decoder.hf(torch.tensor([ids])).logits[0, -1].double()
        words = logits[WORDS].logsumexp(-1)
        logits[torch.cat([WORDS, WHITE_SPACE])] = -torch.inf
        return float(words - logits.logsumexp(-1))

    cases = [("heads", 1, decoder.attention_out(1), slice(8, 16), 1)]
    if decoder.layout.mlp_down is not None:
        cases.append(("units", 1, decoder.mlp_down(1), 5, 5))
    for part, layer, module, chosen, number in cases:
        high, low = (log_odds(module, chosen, 1 + sign * step) for sign in (1, -1))
        slope = (high - low) / (2 * step)
        assert float(found[part, layer][number]) == pytest.approx(slope, abs=2e-3)


def test_mean_support_is_the_mean_over_boundaries(decoder):
    prefixes = [THOUGHTS[0].ids[:9], THOUGHTS[1].ids[:8], THOUGHTS[0].ids[:1]]
    progress = Progress(3, "boundaries")
    found = mean_support(decoder, prefixes, WORDS, WHITE_SPACE, 0.1, progress)
    alone = [support(decoder, ids, WORDS, WHITE_SPACE) for ids in prefixes]
    for place, values in found.items():
        expected = sum(one[place] for one in alone) / 3
        torch.testing.assert_close(values, expected)


def test_interventions_set_members_to_zero_or_to_their_mean(architectures):
    decoder = load_decoder(settings_of(architectures["llama"]))
    activity = measured_activity(decoder, THOUGHTS, 0.1, Progress(2, "thoughts"))
    first, second = set_to("x", "m", "heads", [(1, 2), (0, 0)], activity, MEAN)
    assert (first.layer, second.layer) == (0, 1)
    assert second.factors.tolist() == [1, 1, 0, 1]
    expected = torch.zeros(32)
    expected[16:24] = activity.mean("heads", 1)[16:24]
    torch.testing.assert_close(second.added, expected)
    (units,) = set_to("x", "m", "units", [(2, 5), (2, 7)], activity, ZERO)
    assert units.added is None
    assert (units.factors == 0).nonzero()[:, 0].tolist() == [5, 7]
    u = torch.eye(32)[3]
    made = projections("x", "m", {0: torch.zeros(32), 2: u}, activity, MEAN)
    assert [one.layer for one in made] == [2]
    assert float(made[0].added[3]) == pytest.approx(float(activity.mean_resid(2)[3]))
    (plain,) = projections("x", "m", {2: u}, activity, PROJECT)
    assert plain.added is None
