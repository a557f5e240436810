"""Dynasor and answer convergence: equal answers in a row, counted by hand."""

import math

import pytest
from tiny_exits import exits, history, trial_point

from doubletake.exit_rules.convergence import Convergence
from doubletake.exit_rules.dynasor import Dynasor, DynasorEntropy
from doubletake.exit_rules.published import RULES
from doubletake.exit_rules.replay import replay


def probed(*answers, **known):
    return history("every", *({"answer": a} | known for a in answers), step=64)


@pytest.mark.parametrize(
    ("name", "k", "every"),
    [
        ("dynasor_mild", 8, 64),
        ("dynasor_low", 5, 64),
        ("dynasor_mid", 3, 64),
        ("dynasor_high", 2, 64),
        ("dynasor_crazy", 2, 32),
    ],
)
def test_the_five_published_levels(name, k, every):
    thought = exits(["7", *["8"] * 9], kind="every", step=every)
    stops = replay(RULES[name], [thought])
    assert stops.point[0] == k  # answer 0 differs, so answers 1 to k are the first k
    assert stops.kept[0] == (k + 1) * every
    assert stops.bill[0].tolist() == [k + 1, k + 1, 0, 0]  # one token per trial


@pytest.mark.parametrize("rule", [Dynasor("dynasor", 3), Convergence("convergence", 3)])
def test_equal_answers_in_a_row(rule):
    assert rule.score(probed("8", "7", "8", "8")) == 2
    assert not rule.decide(probed("8", "7", "8", "8"))
    assert rule.decide(probed("7", "8", "8", "8"))
    assert not rule.decide(probed("8", "8"))  # fewer than k trials
    assert rule.least_points == 3


@pytest.mark.parametrize("rule", [Dynasor("dynasor", 3), Convergence("convergence", 3)])
def test_empty_answers_neither_agree_nor_continue_a_run(rule):
    assert not rule.decide(probed(None, None, None))
    assert rule.score(probed("8", "8", None, "8")) == 1


@pytest.mark.parametrize("word", ["wait", "Hold", "but", "okay", "No", "hmm", "know"])
def test_a_word_of_doubt_ends_a_run_of_dynasor(word):
    certain, doubtful = ({"trial_text": text} for text in ("8}", f"8}} {word}"))
    points = [*probed("8", **certain), *probed("8", **doubtful)]
    assert Dynasor("dynasor", 2).score(points) == 0
    assert Dynasor("dynasor", 2).score(points[::-1]) == 1
    assert Convergence("convergence", 2).decide(points)  # it reads only the answer


def test_dynasor_looks_at_multiples_of_its_stride():
    rule = Dynasor("dynasor", every=64)
    looks = [rule.looks_at(trial_point(n, ("every",))) for n in (0, 32, 64, 96, 128)]
    assert looks == [False, False, True, False, True]
    assert not rule.looks_at(trial_point(64, ("sentence",)))


def test_the_entropy_of_a_window():
    rule = DynasorEntropy("dynasor_entropy", window=3)
    # 2/3 and 1/3: -(2/3 log2 2/3 + 1/3 log2 1/3) = 0.390 + 0.528
    split = probed("8", "7", "8")
    assert rule.score(split) == pytest.approx(0.9183, abs=1e-4)
    assert not rule.decide(split)
    assert rule.with_threshold(0.92).decide(split)
    assert rule.decide(probed("7", "8", "8", "8"))
    assert rule.least_points == 3


def test_the_entropy_form_needs_a_window_and_an_answer():
    rule = DynasorEntropy("dynasor_entropy", window=3)
    assert math.isnan(rule.score(probed("8", "8")))
    assert not rule.decide(probed(None, None, None))  # entropy 0
    assert rule.score(probed(None, "8", "8")) == pytest.approx(0.9183, abs=1e-4)


def test_the_published_counts_of_convergence():
    thought = exits(["8"] * 12)
    assert replay(RULES["convergence_3"], [thought]).point[0] == 2
    assert replay(RULES["convergence_10"], [thought]).point[0] == 9
    short = replay(RULES["convergence_10"], [exits(["8"] * 9)])
    assert short.point[0] == -1
    assert not short.able[0]
