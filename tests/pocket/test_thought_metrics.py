"""Metrics of thoughts, against the planted truth and against counts by hand."""

import re
from collections import Counter

import pytest
from planted_samples import planted, sample_of

from pocket.causes import CAUSES, NONE, TURN
from pocket.thought_metrics import answer_metrics, boundary_metrics, share
from pocket.tokenizer import completion_text


@pytest.fixture(scope="module")
def thoughts():
    return planted(300, seed=4)


def test_a_share_of_nothing_is_not_a_number():
    assert share([]) == {"share": None, "n": 0}
    assert share([True, False]) == {"share": 0.5, "n": 2}


def test_answers_of_planted_thoughts(thoughts):
    samples = [sample for _, sample in thoughts]
    metrics = answer_metrics(samples)
    wrong = [t for t, s in thoughts if t.arrivals[0].value != s.problem.answer]
    mended = [t for t in wrong if t.slips[0].corrected]
    assert metrics["closed"] == metrics["with_an_arrival"] == {"share": 1.0, "n": 300}
    share_wrong = round(len(wrong) / 300, 4)
    assert metrics["first_arrival_wrong"] == {"share": share_wrong, "n": 300}
    assert metrics["mended_of_wrong"]["n"] == len(wrong) > 20
    assert metrics["mended_of_wrong"]["share"] == round(len(mended) / len(wrong), 4)
    assert metrics["kept_of_right"]["share"] == 1.0
    turns = Counter(len(t.backtracks) for t, _ in thoughts)
    assert metrics["turns"]["2"] == round(turns[2] / 300, 4)
    listed = [metrics["turns"][str(n)] for n in range(6)]
    assert sum(listed) + metrics["turns"]["more"] == pytest.approx(1, abs=1e-3)
    assert metrics["turns"]["rarest_up_to_5"] == min(listed)
    assert metrics["turns"]["most_frequent"] == round(max(turns.values()) / 300, 4)


def test_boundaries_of_planted_thoughts(thoughts):
    metrics = boundary_metrics([sample for _, sample in thoughts])
    boundaries = [b for thought, _ in thoughts for b in thought.boundaries]
    assert metrics["read"] == {"share": 1.0, "n": len(boundaries)}
    assert metrics["unread_sentences"] == 0
    for cause in CAUSES:
        cases = [b for b in boundaries if b.cause.kind == cause]
        rate = metrics["turn_rate"][cause]
        turned = [b.choice == TURN for b in cases]
        assert rate["n"] == len(cases) > 0
        assert rate["share"] == round(sum(turned) / len(cases), 4)
        planted_rate = sum(b.probability for b in cases) / len(cases)
        assert rate["planted"] == round(planted_rate, 4)
        assert rate["gap"] == pytest.approx(rate["share"] - planted_rate, abs=1e-3)
        words = Counter(b.word for b in cases)
        assert metrics["first_words"][cause] == {
            word: round(count / len(cases), 4) for word, count in words.items()
        }
    gaps = [abs(metrics["turn_rate"][cause]["gap"]) for cause in CAUSES]
    assert metrics["largest_gap"] == max(gaps)
    by_turns = metrics["turn_rate_without_a_cause"]
    without = [b for b in boundaries if b.cause.kind == NONE]
    assert by_turns["1"]["n"] == sum(b.turns == 1 for b in without)
    assert by_turns["5+"]["n"] == sum(b.turns >= 5 for b in without)


def test_a_cause_that_never_holds_leaves_the_largest_gap_unchecked(thoughts):
    calm = [s for t, s in thoughts if all(b.cause.kind == NONE for b in t.boundaries)]
    metrics = boundary_metrics(calm)
    assert metrics["turn_rate"][NONE]["n"] > 0
    assert metrics["largest_gap"] is None


def test_the_preceding_token_tells_what_it_tells(thoughts):
    """Each token's turn share is its score: pairs of boundaries, counted one by one."""
    found = boundary_metrics([s for _, s in thoughts])["preceding_token"]
    cases = [
        (re.search(r"\n*$", thought.text[: b.start])[0] or ".", b.choice == TURN)
        for thought, _ in thoughts
        for b in thought.boundaries
    ]
    assert (
        set(found["turn_rate"]) == {token for token, _ in cases} == {".", "\n", "\n\n"}
    )
    rates = {
        token: sum(t for k, t in cases if k == token)
        / sum(k == token for k, _ in cases)
        for token in {token for token, _ in cases}
    }
    turned = [rates[token] for token, turn in cases if turn]
    others = [rates[token] for token, turn in cases if not turn]
    ordered = sum((a > b) + (a == b) / 2 for a in turned for b in others)
    assert found["n"] == len(cases)
    assert found["auroc"] == pytest.approx(
        ordered / len(turned) / len(others), abs=1e-3
    )


def test_sentences_that_are_not_of_the_language_are_counted(thoughts):
    thought, sample = next((t, s) for t, s in thoughts if len(t.boundaries) == 1)
    end = thought.boundaries[0].start
    text = completion_text(thought.text[:end] + "Perhaps not.", thought.answer)
    metrics = boundary_metrics([sample_of(sample.problem, text)])
    assert metrics["read"] == {"share": 0.0, "n": 1}
    assert metrics["unread_sentences"] == 1
    assert metrics["preceding_token"]["auroc"] is None
