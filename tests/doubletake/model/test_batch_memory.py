"""Every stage's batches keep to `batch_memory`: measured peaks against the counts."""

import pytest
import torch
from peak_memory import peak_bytes
from tiny_memory import CASES, random_llama

from doubletake.model.batch_memory import GIB

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
    [(300, 256, torch.float32), (150, WIDE, torch.bfloat16)],
)
def test_a_batch_takes_what_its_stage_says(stage, length, vocabulary, dtype):
    decoder = random_llama(vocabulary, dtype)
    case = CASES[stage](decoder, length, BUDGET)
    assert case.need <= BUDGET * GIB or case.sequences == 1
    assert 0.8 < peak_bytes(case.work) / case.need < 1.2
