"""Mixtures of experts: no single down-projection, and wider MLPs."""

import pytest
from tiny_architectures import settings_of

from doubletake.model.architectures import LAYOUTS
from doubletake.model.batch_memory import (
    Widths,
    backward_bytes,
    forward_bytes,
    mlp_width,
)
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError

MIXTURES = ["ernie4_5_moe", "glm4_moe", "gpt_oss", "mixtral", "qwen2_moe", "qwen3_moe"]


def test_the_layouts_without_a_down_projection_are_the_mixtures():
    without = {name for name, layout in LAYOUTS.items() if layout.mlp_down is None}
    assert without == set(MIXTURES)


@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_has_no_single_down_projection(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    with pytest.raises(InputError, match=f"{name} is a mixture of experts"):
        decoder.mlp_down(0)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("llama", 64),
        ("mixtral", 2 * 64),  # two experts of 64 for each token
        ("qwen2_moe", 2 * 16 + 32),  # two experts of 16 and the shared one
        ("gpt_oss", 2 * 64),
        ("glm4_moe", 64),  # as in qwen3_moe
        ("qwen3_moe", 64),  # its plain layer is wider than two experts of 16
    ],
)
def test_the_width_that_a_token_takes(architectures, name, width):
    decoder = load_decoder(settings_of(architectures[name]))
    assert mlp_width(decoder.config) == width


def test_a_wider_mixture_gets_smaller_batches(architectures):
    plain, mixture = (
        Widths.of(load_decoder(settings_of(architectures[name])))
        for name in ("llama", "mixtral")
    )
    for need in (forward_bytes, backward_bytes):
        assert need(mixture, 2, 10) > need(plain, 2, 10)
