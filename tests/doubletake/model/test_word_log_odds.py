"""Log-odds of words against the softmax of all logits."""

import pytest
import torch
from tiny_architectures import DENSE, settings_of

from doubletake.model import word_log_odds as module
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder
from doubletake.model.word_log_odds import word_log_odds

WORDS = torch.tensor([3, 17, 40, 90])
IDS = torch.tensor([[5, 17, 3, 60, 41]])


@pytest.mark.parametrize("rows", [16, 4, 10**6])  # 4: some rows hold a single group
@pytest.mark.parametrize("name", DENSE)
def test_log_odds_are_the_logit_of_the_words_probability(
    name, rows, architectures, monkeypatch
):
    monkeypatch.setattr(module, "VOCABULARY_ROWS_AT_ONCE", rows)
    decoder = load_decoder(settings_of(architectures[name]))
    with torch.no_grad():
        output = decoder.base(input_ids=IDS, use_cache=False)
        logits = decoder.hf(input_ids=IDS).logits[0].double()
    expected = logits.softmax(-1)[:, WORDS].sum(-1).logit()
    found = word_log_odds(Lens.of(decoder), output.last_hidden_state[0], WORDS)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)


def test_rows_that_hold_nothing_but_words_are_no_other_tokens(monkeypatch):
    monkeypatch.setattr(module, "VOCABULARY_ROWS_AT_ONCE", 2)
    lens = Lens(torch.ones(3), torch.eye(4, 3), 1e-6, None)
    state = torch.tensor([[1.0, 2.0, 0.5]])
    found = word_log_odds(lens, state, torch.tensor([0, 1]))
    odds = (torch.tensor(1.0).exp() + torch.tensor(2.0).exp()) / (
        torch.tensor(0.5).exp() + 1
    )
    torch.testing.assert_close(found, odds.log()[None])


def test_a_shift_of_all_logits_changes_nothing():
    lens = Lens(
        torch.ones(3), torch.tensor([[1.0, 0, 1], [0, 1, 1], [2, 1, 1]]), 0, None
    )
    states = torch.tensor([[0.3, 0.2, 0.0], [0.3, 0.2, 7.0]])
    first, second = word_log_odds(lens, states, torch.tensor([1]))
    torch.testing.assert_close(first, second)
