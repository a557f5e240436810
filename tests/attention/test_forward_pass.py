"""One pass over a batch: shares of bins and of the attention sink, in the table."""

import pytest
import torch
from tiny_architectures import settings_of

from attention.forward_pass import attention_table, run_batch
from attention.head_attribution import HeadReader
from attention.selected_turns import SelectedTurn, TraceTurns
from attention.tables import BINS, PARTITION
from doubletake.model.loading import load_decoder
from turns.reading import GROUPS


def trace_of(name, length, positions):
    """A trace whose first bin holds all tokens up to each position."""
    turns = [SelectedTurn(k, "backtrack", at) for k, at in enumerate(positions)]
    bins = torch.zeros(len(turns), len(BINS), 2, dtype=torch.long)
    bins[:, 0, 1] = torch.tensor(positions) + 1
    ids = torch.arange(length).mul(7).remainder(96).tolist()
    return TraceTurns(name, "0", ids, turns, bins)


@pytest.mark.parametrize("name", ["gpt_oss", "llama"])
def test_bins_and_sink_add_up_to_one(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    heads = HeadReader(decoder, [torch.tensor([k]) for k, _ in enumerate(GROUPS)])
    batch = [trace_of("0/0", 20, [4, 19]), trace_of("1/0", 12, [11])]
    result = run_batch(decoder, heads, set(), batch)
    assert result.unexplained < 1e-3
    shares = result.attention[..., : len(PARTITION)].sum(-1)
    sinks = attention_table(batch, result)["sink"]
    if name == "llama":
        assert sinks.null_count() == len(sinks) == 9
        assert (shares - 1).abs().max() < 1e-5
    else:
        assert (shares + result.sink - 1).abs().max() < 1e-5
        assert result.sink.max() > 0.1
        assert sinks.list.to_array(4).to_numpy().reshape(3, 3, 4) == pytest.approx(
            result.sink.numpy()
        )
