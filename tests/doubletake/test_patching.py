"""Exact patching against one forward pass per cell, hooked by hand."""

import pytest
import torch
from tiny_architectures import settings_of

from doubletake.gradients import Decision, Metric
from doubletake.models import load_decoder
from doubletake.patching import Cell, patched

GROUPS = {"backtrack": torch.tensor([3, 17]), "wrap_up": torch.tensor([5])}
ITEM = Decision("a/0", 4, [7, 9, 11, 2, 80, 31], 3)


@pytest.fixture(scope="module", params=["llama", "gemma2", "qwen3"])
def decoder(request, architectures):
    return load_decoder(settings_of(architectures[request.param]))


def brute_force(decoder, means, cell: Cell | None) -> float:
    """The metric of one pass in which one state is overwritten."""
    layout = decoder.layout
    handle = None
    if cell is not None:
        layer = decoder.layers[cell.layer]
        mean = means[cell.part][cell.layer]

        def overwrite(states):
            states = states.clone()
            states[0, cell.token] = mean
            return states

        if cell.part == "resid":
            handle = layer.register_forward_pre_hook(
                lambda _, inputs: (overwrite(inputs[0]), *inputs[1:])
            )
        else:
            path = getattr(layout, f"{cell.part.removesuffix('_out')}_write".replace(
                "attn", "attention"))  # fmt: skip
            handle = layer.get_submodule(path).register_forward_hook(
                lambda _, __, out: (
                    (overwrite(out[0]), *out[1:])
                    if isinstance(out, tuple)
                    else overwrite(out)
                )
            )
    with torch.no_grad():
        logits = decoder.hf(torch.tensor([ITEM.ids]), use_cache=False).logits[0, -1]
    if handle is not None:
        handle.remove()
    logprobs = logits.log_softmax(-1)
    back, wrap = (logprobs[GROUPS[name]].exp().sum().log() for name in GROUPS)
    return float(back - wrap)


@pytest.mark.parametrize("batch_tokens", [1, 20, 10_000])
def test_every_cell_equals_a_pass_of_its_own(decoder, batch_tokens):
    generator = torch.Generator().manual_seed(0)
    shape = (decoder.n_layers, decoder.d_model)
    parts = ("resid", "attn_out", "mlp_out")
    means = {part: torch.randn(shape, generator=generator) for part in parts}
    cells = [
        Cell(part, layer, token)
        for token in (0, 2, 5)
        for part in parts
        for layer in range(decoder.n_layers)
    ]
    metric = Metric(decoder, "difference", GROUPS)
    changes, clean = patched(decoder, metric, means, ITEM, cells, batch_tokens)
    plain = brute_force(decoder, means, None)
    assert clean == pytest.approx(plain, abs=1e-5)
    wanted = [brute_force(decoder, means, cell) - plain for cell in cells]
    assert max(map(abs, wanted)) > 0.05
    assert changes == pytest.approx(wanted, abs=1e-4)
