"""What the model reads in each arm, up to each exit; and the drawn wrong number."""

import pytest
from tiny_repetition import QUESTION, RIGHT, events_of, pocket_trace

from doubletake.running.errors import InputError
from doubletake.text.drawn_thoughts import DrawnThought
from repetition.arms import arms_of
from repetition.cases import case_of
from repetition.wrong_number import drawn_wrong_number, with_number

FILLER = ["The steps are not hard to do.", "This was quick to find."]
SENTENCE = "She sells 6, so 46 - 6 = 40."


def read(arm, prompt, point):
    """Text of the completion that the model reads up to an exit, without the prompt."""
    ids = [*arm.ids[: point.cut], *point.suffix]
    text = prompt.tokenizer.decode(ids)[0]
    assert text.endswith(prompt.text)
    return text[: -len(prompt.text)]


def test_every_arm_states_what_it_should_as_often_as_it_should(case, prompt):
    arms = {arm.name: arm for arm in arms_of(case, "73", 3, FILLER, prompt)}
    wrong = SENTENCE.replace("40", "73")
    before = RIGHT[: RIGHT.index(SENTENCE)]
    real = [before + SENTENCE, RIGHT[: RIGHT.index(" This was")]]
    real.append(RIGHT[: RIGHT.index("\nTherefore")])
    expected = {
        "thought": real,
        "repeated": [before + "\n".join([SENTENCE] * k) for k in (2, 3)],
        "wrong_repeats": [before + "\n".join([SENTENCE, *[wrong] * k]) for k in (1, 2)],
        "wrong_all": [before + "\n".join([wrong] * k) for k in (1, 2, 3)],
    }
    for name, texts in expected.items():
        arm = arms[name]
        assert [point.number for point in arm.points][-1] == 3
        for point, text in zip(arm.points, texts, strict=True):
            assert read(arm, prompt, point).endswith(text)
    for point, text in zip(arms["filler"].points, arms["filler"].texts, strict=True):
        said = read(arms["filler"], prompt, point)
        assert said.endswith(text)
        assert said.count("40") == 1


def test_the_thoughts_own_tokens_stay_up_to_the_first_arrival(case, prompt):
    trace = case.thought.trace
    own = [*trace["prompt_ids"], *trace["completion_ids"]]
    first = case.points[0]
    for arm in arms_of(case, "73", 3, FILLER, prompt):
        kept = first.cut if arm.name != "wrong_all" else first.cut - 4
        assert arm.ids[:kept] == own[:kept]


def test_filler_is_about_as_long_as_the_real_thought(case, prompt):
    arms = {arm.name: arm for arm in arms_of(case, None, 9, FILLER, prompt)}
    assert set(arms) == {"thought", "repeated", "filler"}
    longest = max(len(prompt.tokenizer.encode_plain("\n" + text)) for text in FILLER)
    real = arms["thought"].points[1:]
    for point, other in zip(arms["filler"].points, real, strict=True):
        assert abs(point.tokens_before - other.tokens_before) <= longest / 2 + 1


def test_arrivals_in_one_sentence_are_one_exit(tokenizer, prompt):
    text = RIGHT.replace("So the answer is 40.", "So the answer is 40 and 40.")
    trace = pocket_trace(tokenizer, text)
    rows = events_of(trace, RIGHT)
    second = text.index("and 40") + 4
    extra = rows[2] | {"start": second, "end": second + 2, "ordinal": 4}
    rows = [*rows[:3], extra, rows[3] | {"ordinal": 5}]
    rows[4] |= {"start": rows[4]["start"], "end": rows[4]["end"]}
    case = case_of(DrawnThought(trace, "40", QUESTION), "right", rows, prompt)
    assert [point.number for point in case.points] == [1, 2, 3, 4]
    ends = [point.sentence_end for point in case.points]
    assert ends == sorted(set(ends))


def test_a_tokenizer_that_changes_the_text_is_told(case, prompt, monkeypatch):
    plain = prompt.tokenizer.encode_plain
    monkeypatch.setattr(
        type(prompt.tokenizer), "encode_plain", lambda _, text: plain(text.upper())
    )
    with pytest.raises(InputError, match="trace 00000/0: the tokenizer changes"):
        arms_of(case, None, 3, FILLER, prompt)


def test_a_wrong_number_has_the_form_of_the_right_one_and_stands_nowhere():
    known = [" ".join(f"{n}" for n in range(10, 99) if n != 57)]
    for name in "abcdefgh":
        drawn = drawn_wrong_number("1,240.50", ["1,300 and 2400"], 0, name)
        whole, _, decimals = drawn.partition(".")
        assert (decimals, len(whole), whole[1]) == ("50", 5, ",")
        assert drawn_wrong_number("42", known, 0, name) in ("57", "99")
    assert drawn_wrong_number("42", [], 0, "a") == drawn_wrong_number("42", [], 0, "a")
    assert len({drawn_wrong_number("42", [], 0, str(k)) for k in range(40)}) > 20
    full = [" ".join(map(str, range(10)))]
    assert len(drawn_wrong_number("7", full, 0, "a")) == 2
    for text in ("x + 1", "twenty", "\\frac{1}{2}", ""):
        assert drawn_wrong_number(text, [], 0, "a") is None


def test_a_number_is_replaced_wherever_the_sentence_states_it():
    one = "So 12 + 0 = 12, not 112 or 12.5 or 1,12: it is 12."
    other = "So 34 + 0 = 34, not 112 or 12.5 or 1,12: it is 34."
    assert with_number(one, "12", "34") == other
