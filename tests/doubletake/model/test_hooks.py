"""Hooks are removed after the block, even after an error."""

import pytest
import torch
from tiny_architectures import settings_of
from torch import nn

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import record, registered
from doubletake.model.loading import load_decoder


@pytest.fixture
def llama(architectures) -> Decoder:
    return load_decoder(settings_of(architectures["llama"]))


def test_hooks_are_gone_after_the_block(llama):
    with record(llama) as seen:
        pass
    llama.hf(torch.tensor([[1, 2]]))
    assert seen == {"resid": [], "attn_out": [], "mlp_out": []}


def test_hooks_are_gone_after_a_failure_inside_the_block():
    module, seen = nn.Identity(), []

    def called(*_):
        seen.append("called")
        raise RuntimeError("inside")

    hooks = registered([module.register_forward_hook(called)])
    with pytest.raises(RuntimeError, match="inside"), hooks:
        module(torch.zeros(1))
    module(torch.zeros(1))
    assert seen == ["called"]


def test_hooks_before_one_that_cannot_be_registered_are_gone():
    module, seen = nn.Identity(), []

    def handles():
        yield module.register_forward_hook(lambda *_: seen.append("called"))
        raise RuntimeError("second")

    with pytest.raises(RuntimeError, match="second"), registered(handles()):
        seen.append("inside")
    module(torch.zeros(1))
    assert seen == []
