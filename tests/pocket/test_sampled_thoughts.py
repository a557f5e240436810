"""Sampled thoughts: their answers, characters and tokens."""

import pytest
from planted_samples import planted, pocket_tokenizer, sample_of

from pocket.sampled_thoughts import boxed
from pocket.tokenizer import prompt_text

TOKENIZER = pocket_tokenizer()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\\boxed{14}.", 14),
        ("\\boxed{1} \\boxed{2}", 2),
        ("14", None),
        ("", None),
        ("\\boxed{14", None),
        ("\\boxed{1 4}", None),
        ("\\boxed{}", None),
    ],
)
def test_the_boxed_answer(text, value):
    assert boxed(text) == value


def test_a_sample_gives_back_its_text_and_its_arrivals():
    for thought, sample in planted(20, seed=1):
        assert TOKENIZER.decode(sample.prompt_ids) == prompt_text(
            sample.problem.question
        )
        assert sample.text.startswith(thought.text)
        assert sample.closed
        assert sample.answer == thought.answer
        values = tuple(arrival.value for arrival in thought.arrivals)
        assert sample.reading.values == values
        ends = [thought.text.index(".", a.end) + 1 for a in thought.arrivals]
        assert list(sample.reading.arrival_ends) == ends


def test_a_cut_keeps_whole_tokens():
    for _, sample in planted(20, seed=2):
        for end in sample.reading.arrival_ends:
            kept = sample.pieces[: sample.tokens_before(end)]
            assert "".join(kept) == sample.text[:end]


def test_an_open_thought_has_no_answer():
    (_, sample), = planted(1, seed=3)  # fmt: skip
    cut = sample_of(sample.problem, sample.text[:20] + "\\boxed{3}")
    assert not cut.closed
    assert cut.answer is None
    assert not cut.is_right
