"""Why decoding and replay differ, and how close a choice was."""

import math
from types import SimpleNamespace

import pytest
import torch

from doubletake.exit_rules.eat import Eat
from doubletake.exit_rules.marker_gap import ThinkBrake
from doubletake.model.token_sampling import Sampling, choose_tokens
from online_exit.comparison import ROUNDING, _other_decision
from online_exit.rounding import sampled_margin
from online_exit.tables import SCORE, UNEXPLAINED

SAMPLING = Sampling(temperature=0.7, top_p=0.9, seed=0)


def point(gap):
    return SimpleNamespace(marker_logprob=-1.0, best_other_logprob=gap - 1.0, token=9)


@pytest.mark.parametrize(
    ("online", "replayed", "reason"),
    [
        (0.1 - 1e-6, 0.1 + 1e-6, SCORE),
        (0.1 + 1e-6, 0.1 - 1e-6, SCORE),
        (0.05, 0.1 + 2 * ROUNDING, UNEXPLAINED),  # too far from the threshold
        (0.1 - 1e-6, 0.1 - 1e-6, UNEXPLAINED),  # the same decision from equal scores
    ],
)
def test_only_a_score_near_the_threshold_is_rounding(online, replayed, reason):
    rule = ThinkBrake("thinkbrake", 0.1)
    run = SimpleNamespace(rule=rule, history=[point(online)])
    found = _other_decision(run, SimpleNamespace(scores=[replayed]), 0)
    assert found.reason == reason
    assert found.token == 9
    assert found.gap == pytest.approx(abs(replayed - 0.1))


def test_a_rule_that_cannot_stop_yet_has_no_gap():
    run = SimpleNamespace(
        rule=Eat("eat"), history=[SimpleNamespace(entropy=1.0, token=3)]
    )
    found = _other_decision(run, SimpleNamespace(scores=[math.nan]), 0)
    assert (found.reason, found.gap) == (UNEXPLAINED, None)


def test_a_sampled_choice_changes_just_beyond_its_margin():
    generator = torch.Generator().manual_seed(0)
    compared = 0
    for _ in range(200):
        logits = 2 * torch.randn(12, generator=generator)
        uniform = torch.rand(1, generator=generator, dtype=torch.float64)
        margin = sampled_margin(logits, float(uniform), SAMPLING)
        ranked = torch.sort(logits / SAMPLING.temperature, descending=True).values
        mass = ranked.softmax(-1).double().cumsum(-1)
        last = int((mass < SAMPLING.top_p * mass[-1]).sum())
        if not last:
            alone = float(mass[0] - SAMPLING.top_p * mass[-1])
            assert margin == pytest.approx(alone, abs=1e-6)
            continue
        kept, compared = float(mass[last]), compared + 1

        def choice(shift, logits=logits, uniform=uniform, kept=kept):
            moved = (uniform + shift / kept).clamp(0, 1 - 1e-12)
            return choose_tokens(logits[None], moved, SAMPLING).item()

        inside = {choice(sign * 0.98 * margin) for sign in (-1, 1)}
        beyond = {choice(sign * 1.02 * margin + sign * 1e-9) for sign in (-1, 1)}
        assert inside == {choice(0)}
        assert beyond != {choice(0)}
    assert compared > 100
