"""Ablations of one token: packed queries, plain passes, and linear algebra."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.interventions import EVERY, Intervention, model_name
from doubletake.model.loading import load_decoder
from doubletake.model.packed_interventions import (
    PackedInterventions,
    TurnReader,
    plain_states,
)

IDS = [5, 17, 3, 60, 41, 8, 33, 12, 71, 25, 9]  # longer than the sliding windows
WORDS, WHITE_SPACE = torch.tensor([3, 17, 40]), torch.tensor([7, 8])


def unit(width, seed):
    vector = torch.randn(width, generator=torch.Generator().manual_seed(seed))
    return vector / vector.norm()


def sets_of(decoder):
    """Projections at all boundaries and one, heads and units at 0 and at a mean."""
    model, d, last = model_name(decoder.settings), decoder.d_model, decoder.n_layers
    width = decoder.attention_out(0).in_features

    def change(layer, part, **tensors):
        return Intervention("x", layer, part, EVERY, model, **tensors)

    heads = torch.ones(4)
    heads[1] = 0
    mean = torch.zeros(width)
    mean[width // 4 : width // 2] = 0.3
    groups = [
        [change(b, "resid", removed=unit(d, b)) for b in range(last + 1)],
        [change(1, "resid", removed=unit(d, 9), added=0.5 * unit(d, 9))],
        [change(0, "heads", factors=heads), change(2, "heads", factors=heads)],
        [change(1, "heads", factors=heads, added=mean)],
    ]
    if decoder.layout.mlp_down is not None:
        kept = torch.ones(decoder.mlp_down(0).in_features)
        kept[[3, 9, 40]] = 0
        groups += [
            [change(1, "units", factors=kept)],
            [change(k, "units", factors=kept, added=0.2 * (1 - kept)) for k in (0, 2)],
        ]
    return [tuple(group) for group in groups]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_packed_queries_equal_plain_passes(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    reader, sets = TurnReader(decoder, WORDS, WHITE_SPACE), sets_of(decoder)
    for length in (1, 2, len(IDS)):
        for memory in (0.1, 1e-9):  # one query at a time, and nothing is kept
            packed = PackedInterventions(decoder, sets, memory)
            found = packed.probabilities(reader, IDS[:length], "x")
            wanted = [
                reader.probabilities(plain_states(decoder, IDS[:length], one))[0]
                for one in sets
            ]
            torch.testing.assert_close(
                found[1:], torch.tensor(wanted).double(), atol=2e-5, rtol=1e-3
            )


def test_the_plain_probability_is_the_share_of_mass_without_white_space(architectures):
    decoder = load_decoder(settings_of(architectures["llama"]))
    packed = PackedInterventions(decoder, [], 0.1)
    reader = TurnReader(decoder, WORDS, WHITE_SPACE)
    (found,) = packed.probabilities(reader, IDS, "x").tolist()
    with torch.no_grad():
        mass = decoder.hf(torch.tensor([IDS])).logits[0, -1].double().softmax(-1)
    expected = mass[WORDS].sum() / (1 - mass[WHITE_SPACE].sum())
    assert found == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("name", ["llama", "olmo2", "qwen3"])  # no capped logits
def test_a_ten_line_reference_at_the_last_boundary(architectures, name):
    """x - (x . u) u + m u before the final norm, written out."""
    decoder = load_decoder(settings_of(architectures[name]))
    u, seen = unit(decoder.d_model, 4), []
    handle = decoder.final_norm.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0][0, -1])
    )
    with torch.no_grad():
        decoder.base(torch.tensor([IDS]), use_cache=False)
        handle.remove()
        x = seen[0] - (seen[0] @ u) * u + 0.7 * u
        logits = decoder.hf.lm_head(decoder.final_norm(x)).double()
    logits[WHITE_SPACE] = -torch.inf
    expected = float(logits.softmax(-1)[WORDS].sum())
    one = Intervention(
        "x",
        decoder.n_layers,
        "resid",
        EVERY,
        model_name(decoder.settings),
        removed=u,
        added=0.7 * u,
    )
    packed = PackedInterventions(decoder, [(one,)], 0.1)
    reader = TurnReader(decoder, WORDS, WHITE_SPACE)
    found = packed.probabilities(reader, IDS, "x")[1]
    assert float(found) == pytest.approx(expected, abs=1e-5)
