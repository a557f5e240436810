"""Every stage's batches keep to `batch_memory`: measured peaks against the counts."""

import pytest
import torch
from peak_memory import peak_bytes
from tiny_architectures import ARCHITECTURES, settings_of
from tiny_memory import CASES, random_llama

from doubletake.model.batch_memory import GIB, Widths, forward_bytes
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder

BUDGET = 4 / 1024  # GiB
WIDE = 16384  # tokens; the logits of a few states are larger than the states


def test_the_measured_peak_is_that_of_known_tensors():
    def known() -> None:
        first = torch.empty(1000)
        second = torch.empty(3000)
        del first
        third = torch.empty(500)
        del second, third
        torch.empty(2000)

    assert peak_bytes(known) == 4 * 4000


@pytest.mark.parametrize("stage", CASES)
@pytest.mark.parametrize(
    ("length", "vocabulary", "dtype"),
    [(300, 256, torch.float32), (100, WIDE, torch.bfloat16)],
)
def test_a_batch_takes_what_its_stage_says(stage, length, vocabulary, dtype):
    decoder = random_llama(vocabulary, dtype)
    case = CASES[stage](decoder, length, BUDGET)
    assert case.need <= BUDGET * GIB or case.sequences == 1
    assert 0.8 < peak_bytes(case.work) / case.need < 1.2


@pytest.fixture(scope="module", params=ARCHITECTURES)
def decoder(request, architectures):
    """A tiny model, with windows of 4 tokens where its architecture has windows."""
    return load_decoder(settings_of(architectures[request.param]))


def bounds_of(decoder: Decoder) -> tuple[float, float]:
    """Only of dense models the counts are near; of mixtures they are not too low."""
    return (0.8 if decoder.layout.mlp_down else 0.5), 1.2


def test_a_forward_pass_takes_what_is_counted(decoder):
    ids = torch.zeros(4, 120, dtype=torch.long)

    @torch.inference_mode()
    def run() -> None:
        decoder.base(input_ids=ids, use_cache=False)

    low, high = bounds_of(decoder)
    assert low < peak_bytes(run) / forward_bytes(Widths.of(decoder), *ids.shape) < high


def test_a_backward_pass_takes_what_is_counted(decoder):
    case = CASES["attribution, gradient"](decoder, 120, 1 / 1024)
    low, high = bounds_of(decoder)
    assert low < peak_bytes(case.work) / case.need < high
