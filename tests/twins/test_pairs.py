"""Pairs in tokens: what changes, what stays, and which boundaries are drawn."""

import pytest
from tiny_twins import CASES, problem_of, trace_of, truth_of

from pocket.reading import THOUGHT, Edit, NoTwinError
from truth.tables import TRUTH
from twins.pairs import draw_boundaries, edited_tokens, is_aligned, pair_of


@pytest.fixture(scope="module")
def pairs(tokenizer):
    found = {}
    for name in CASES:
        trace = trace_of(tokenizer, name)
        found[name] = pair_of(truth_of(trace)[0], trace, problem_of(name), tokenizer)
    return found


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("00000/0", "18 + 8 = 26.\n26 - 4 = 22."),
        ("00001/0", "26. The 7 years do not count. 26 - 4 = 22.\n\n"),
        ("00002/0", "26. The 7 years do not count. 26 - 4 = 22."),
        ("00003/0", "18 + 8 = 26. 26 - 4 = 22.\n"),
    ],
)
def test_the_twin_is_the_context_without_its_cause(tokenizer, pairs, name, end):
    pair = pairs[name]
    text, _ = tokenizer.decode(pair.without_cause)
    assert text.endswith(end)
    assert pair.aligned
    differ = [
        one != two for one, two in zip(pair.with_cause, pair.without_cause, strict=True)
    ]
    assert 0 < sum(differ) <= pair.changed


def test_a_context_without_a_remark_gets_one(tokenizer, pairs):
    pair = pairs["00001/0"]
    text, _ = tokenizer.decode(pair.with_cause)
    assert text.endswith("26. The steps are not hard to do. 26 - 4 = 22.\n\n")
    assert pair.logprob is None


def test_an_open_word_changes_only_the_question(tokenizer, pairs):
    pair = pairs["00003/0"]
    text, _ = tokenizer.decode(pair.without_cause)
    assert "does Tom have by now?" in text
    assert pair.changed == 2


def test_the_context_ends_before_the_sentence_at_the_boundary(tokenizer, pairs):
    pair, trace = pairs["00000/0"], trace_of(tokenizer, "00000/0")
    ids = [*trace["prompt_ids"], *trace["completion_ids"]]
    assert pair.with_cause == ids[: len(pair.with_cause)]
    assert pair.first_id == ids[len(pair.with_cause)]
    assert tokenizer.text_of(pair.first_id) == " Wait"


def test_tokens_that_an_edit_does_not_touch_stay(tokenizer):
    # Sampled tokens can spell a word in another way than the tokenizer.
    ids = [*tokenizer.encode("W"), *tokenizer.encode("ait"), *tokenizer.encode(" 18.")]
    new = edited_tokens(ids, [Edit(5, 7, "26", THOUGHT)], tokenizer)
    assert new.ids[:2] == ids[:2]
    assert tokenizer.decode(new.ids)[0] == "Wait 26."
    assert is_aligned(ids, new.ids, new.places)


def test_two_changes_in_one_token_are_refused(tokenizer):
    ids = tokenizer.encode("Alternatively")
    assert len(ids) == 1
    edits = [Edit(0, 1, "a", THOUGHT), Edit(2, 3, "b", THOUGHT)]
    with pytest.raises(NoTwinError, match="one token"):
        edited_tokens(ids, edits, tokenizer)


def test_a_difference_elsewhere_is_not_aligned():
    assert is_aligned([1, 2, 3], [1, 9, 3], {1})
    assert not is_aligned([1, 2, 3], [1, 9, 4], {1})
    assert not is_aligned([1, 2], [1, 2, 3], {1})


def test_one_boundary_per_trace_with_one_cause_before_the_first_turn_is_drawn():
    base = {
        **{"problem": "p", "start": 0, "end": 1, "token": 5, "choice": "turn"},
        **{"word": "Wait", "cause": "slip", "causes": 1, "turns": 0},
        **{"cause_in": None, "cause_start": None, "cause_end": None},
        "probability": 0.76,
    }
    changes = [
        *[{"trace": "a", "boundary": 1, "causes": 2}, {"trace": "a", "boundary": 2}],
        *[{"trace": "a", "boundary": 3}, {"trace": "b", "boundary": 1, "turns": 1}],
        *[{"trace": "c", "boundary": 1, "cause": "none", "causes": 0}],
        *[{"trace": "d", "boundary": 1, "choice": None}],
        *[{"trace": "e", "boundary": 1, "token": None}],
        *[{"trace": f"f{k}", "boundary": 1} for k in range(9)],
    ]
    rows = [dict.fromkeys(TRUTH.schema) | base | change for change in changes]
    truth = TRUTH.frame(rows)
    names = [(row["trace"], row["boundary"]) for row in draw_boundaries(truth, 99, 0)]
    assert names == [("a", 2), *((f"f{k}", 1) for k in range(9))]
    few = [row["trace"] for row in draw_boundaries(truth, 3, 0)]
    assert len(few) == 3
    assert few != [row["trace"] for row in draw_boundaries(truth, 3, 1)]
