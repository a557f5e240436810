"""Units near the probe, by a brute search; models without value vectors."""

import numpy as np
import torch
from tiny_architectures import settings_of

from directions.near_units import near_units, why_no_units
from doubletake.model.loading import load_decoder
from doubletake.study.settings import ModelSettings


def test_units_of_the_layers_around_the_boundary(model: ModelSettings) -> None:
    """Both sides, in the order of the cosine with the probe after the layer."""
    decoder = load_decoder(model)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, decoder.d_model))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = {}
    for layer in (1, 2):  # boundary 3 is the last: layers 1 and 2 write around it
        down = decoder.hf.model.layers[layer].mlp.down_proj.weight.detach().double()
        columns = down.T.numpy()
        values = columns @ vectors[layer + 1] / np.linalg.norm(columns, axis=1)
        cosines |= {(layer, unit): value for unit, value in enumerate(values)}
    rows = near_units(decoder, vectors, best=3, count=5)
    for side, sign in (("for", 1), ("against", -1)):
        ranked = sorted(cosines, key=lambda key: -sign * cosines[key])[:5]
        own = [row for row in rows if row["side"] == side]
        assert [(row["layer"], row["unit"]) for row in own] == ranked
        assert [row["rank"] for row in own] == [1, 2, 3, 4, 5]
        wanted = [cosines[key] for key in ranked]
        assert np.allclose([row["cosine"] for row in own], wanted, atol=1e-5)
    norm = decoder.hf.model.layers[rows[0]["layer"]].mlp.down_proj.weight
    assert np.isclose(rows[0]["norm"], norm[:, rows[0]["unit"]].norm().item())


def test_a_probe_without_weights_has_no_units(model: ModelSettings) -> None:
    """Where features do not vary the probe is zero, and no unit lies near it."""
    decoder = load_decoder(model)
    assert near_units(decoder, np.zeros((4, decoder.d_model)), 2, 5) == []


def test_mixtures_of_experts_have_no_value_vectors(architectures) -> None:
    """The reason names the kind of model."""
    decoder = load_decoder(settings_of(architectures["mixtral"]))
    assert "mixtral is a mixture of experts" in str(why_no_units(decoder))
    dense = load_decoder(settings_of(architectures["llama"]))
    assert why_no_units(dense) is None
    assert torch.is_tensor(dense.mlp_down(0).weight)
