"""The detector `rules`: cases of the labelling guide, and awkward input."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubletake.detector.rules_detector import detect
from doubletake.text.answers import canonical
from events.controls import controls

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"

PIECES = st.sampled_from(
    [
        *("5 * 9 = 45. ", "So the answer is 45. ", "45 apples", "Wait, ", "45", " is "),
        *(
            "let me check. ",
            "Alternatively, ",
            "\n\n",
            "\\boxed{45}",
            "\\[",
            "\\boxed{",
        ),
        *(
            "That's right. ",
            "if ",
            "?",
            "1.45 million ",
            "3/4",
            "-7 ",
            "forty-five ",
            "$",
        ),
        *("So ", "not ", "= ", "7:30", "\r\n", "\N{MINUS SIGN}4", "But maybe ", "%"),
    ]
)
ANY_THOUGHT = st.lists(PIECES, max_size=40).map("".join) | st.text(
    st.characters(codec="utf-8"), max_size=200
)


def arrivals_of(thought: str, question: str = QUESTION) -> list[str]:
    """The text of each arrival, with the text before it in its line."""
    return [
        thought[: item.end].rsplit("\n", 1)[-1]
        for item in detect(question, thought).arrivals
    ]


def backtracks_of(thought: str, question: str = QUESTION) -> list[str]:
    return [thought[b.start : b.end] for b in detect(question, thought).backtracks]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("So the answer is 48.", "48"),
        ("So the answer is $1,200.", "1200"),
        ("So the cost is $18.00.", "18"),
        ("The answer is 3/4.", "0.75"),
        ("So 25% is the answer.", "25"),
        ("So he needs 0.5 of it, the answer is 0.5.", "0.5"),
        (r"\boxed{48}", "48"),
        (r"So, \(\boxed{\$1{,}200}\).", "1200"),
        (r"The answer is \boxed{48 \text{ apples}}", "48"),
        ("Therefore, the answer is **48**.", "48"),
        ("6 * 8 = 48", "48"),
        ("x = 24", "24"),
        ("So the answer is forty-eight.", "48"),
        (r"\[ 6 \times 8 = 48 \]", "48"),
        (r"So the answer is \(\frac{1}{3}\).", "1/3"),
        ("So the answer is -5 degrees.", "-5"),
        ("So the answer is \N{MINUS SIGN}5 degrees.", "-5"),
        ("So he leaves at 7:30. The answer is 7:30.", "7:30"),
    ],
)
def test_forms_of_a_value(form, value):
    arrivals = detect("What is it?", form).arrivals
    assert [item.value for item in arrivals] == [value]
    assert canonical(form[arrivals[0].start : arrivals[0].end]) == value


def test_a_restatement_is_the_same_arrival():
    thought = "5 times 9 is 45. So, 45 apples in total. The answer is 45."
    assert arrivals_of(thought) == ["5 times 9 is 45"]


def test_a_check_and_another_method_arrive_again():
    thought = (
        "5 * 9 = 45.\n\nWait, let me check.\n5 * 9 = 45. That's right.\n\n"
        "Alternatively, 10 * 9 = 90.\nHalf of 90 is 45.\n\nSo the answer is 45."
    )
    assert arrivals_of(thought) == ["5 * 9 = 45", "5 * 9 = 45", "Half of 90 is 45"]
    kinds = [item.kind for item in detect(QUESTION, thought).backtracks]
    assert kinds == ["check", "alternative"]


def test_only_the_first_sentence_of_a_turn_is_a_backtrack():
    thought = (
        "5 * 9 = 45.\n\nWait, let me double-check. Let me verify it step by step. "
        "5 * 9 is 45. So the answer is 45."
    )
    assert backtracks_of(thought) == ["Wait, let me double-check."]


def test_a_verdict_closes_a_turn():
    thought = (
        "5 * 9 = 45.\n\nWait, is that right? 5 and 5 is ten. Yes, that's correct.\n\n"
        "Let me check once more. 5 * 9 = 45."
    )
    assert backtracks_of(thought) == ["Wait, is that right?", "Let me check once more."]


def turns_after(rest: str) -> list[str]:
    """Turns of a thought that has checked its answer and goes on with `rest`."""
    start, end = (
        "5 * 9 = 45.\n\nWait, let me check. 5 * 9 = 45.",
        "So the answer is 45.",
    )
    return backtracks_of(f"{start} {rest}\n\n{end}")[1:]


@pytest.mark.parametrize(
    "rest",
    [
        "So I can confirm 45 is the answer.",
        "So I can be confident that it is 45.",
        "The steps are:\n1. Multiply.\n2. Check the total.",
        "Alternatively, 10 * 9 = 90, and half of it is 45. Same result.",
    ],
)
def test_an_outcome_is_no_turn(rest):
    assert turns_after(rest) == []


@pytest.mark.parametrize(
    ("rest", "turn"),
    [
        ("I can confirm it by adding. 9 + 36 = 45.", "I can confirm it by adding."),
        (
            "I don't see any errors here.\n\nAnother way: 9 + 36 = 45.",
            "Another way: 9 + 36 = 45.",
        ),
        ("It can't be that simple? Wait, 9 apples.", "It can't be that simple?"),
        ("Is that right? Let me check again.", "Is that right?"),
        (
            "Maybe it asks for pears? But that's what I did.\n\nBut is it 45?",
            "But is it 45?",
        ),
        (
            "Wait, maybe it is 8 each? It says 9. Wait, but that's the same as before.",
            "Wait, maybe it is 8 each?",
        ),
    ],
)
def test_the_sentence_that_turns(rest, turn):
    assert turns_after(rest) == [turn]


def test_a_short_question_only_says_its_number_again():
    thought = "That is 45. Wait, no. Wait, 5 * 9 is 45? Let me check. 5 * 9 is 45."
    assert arrivals_of(thought)[1:] == [thought[:-1]]


def test_an_abbreviated_unit_is_the_unit_asked_for():
    question = "They buy 12 kg and eat 7 kg. How many kilograms are left?"
    thought = "12 - 7 = 5 kg.\n\nWait, let me check. 12 - 7 = 5 kg."
    assert len(arrivals_of(thought, question)) == 2


def test_nothing_turns_back_before_the_first_arrival():
    assert backtracks_of("Wait, 9 apples each? Let me check. 5 * 9 = 45.") == []


@pytest.mark.parametrize(
    "thought",
    [
        "First, I need the number of boxes. Then I'll multiply 5 by 9 to find it.",
        "Tom has 5 boxes with 9 apples each.",
        "Let me think.",
        "",
        "   \n",
        "Error after 6 attempts: Error code: 500 - {'error': {'message': 'Internal'}}",
    ],
)
def test_no_answer_no_event(thought):
    events = detect(QUESTION, thought)
    assert not events.arrivals
    assert not events.backtracks
    assert not events.wrap_ups


def test_an_intermediate_that_equals_the_answer_is_no_arrival():
    thought = "14 * 2 = 28. 28 + 20 = 48. 76 - 48 = 28. So the answer is 28."
    assert arrivals_of(thought, "How much more?") == [
        "14 * 2 = 28. 28 + 20 = 48. 76 - 48 = 28"
    ]


def test_a_number_of_the_question_is_no_arrival():
    question = "She made 18 on Monday and 15 on Tuesday. How many to reach 51?"
    thought = "She made 18 on Monday.\n18 + 15 = 33.\n51 - 33 = 18. The answer is 18."
    assert arrivals_of(thought, question) == ["51 - 33 = 18"]


def test_a_number_of_another_unit_is_no_arrival():
    question = (
        "He picks 24 berries in 8 hours, 4 hours a trip. How many berries a trip?"
    )
    thought = (
        "8 / 4 = 2 trips. 24 / 2 = 12 berries.\n\nWait, could he go three times? "
        "That would take 12 hours. So no.\nSo it must be 12 berries."
    )
    assert arrivals_of(thought, question)[1:] == ["So it must be 12"]


def test_a_wrong_answer_that_is_mended():
    thought = (
        "5 * 9 = 40. So the answer is 40.\n\nWait, 5 * 9 = 40 is not right. "
        "5 * 9 = 45.\n\nSo the answer is 45."
    )
    assert [item.value for item in detect(QUESTION, thought).arrivals] == ["40", "45"]


@pytest.mark.parametrize(
    ("pause", "is_slip"),
    [
        ("", True),
        (" That was not hard.", True),
        (" That makes 40 apples. That was not hard. Those are 40.", True),
        (" Then 40 + 3 is what two friends have.", False),
        (" The friends of Tom have a garden with a lot of trees.", False),
    ],
)
def test_a_slip_was_the_answer_if_only_remarks_stand_before_the_doubt(pause, is_slip):
    thought = f"5 * 9 = 40.{pause} Wait, let me check again. 5 * 9 = 45."
    expected = ["40", "45"] if is_slip else ["45"]
    assert [item.value for item in detect(QUESTION, thought).arrivals] == expected


def test_a_number_asked_about_is_a_doubt():
    thought = "5 * 9 = 45. Wait, what about the 7 pears? They do not count. So 45."
    assert [item.kind for item in detect(QUESTION, thought).backtracks] == ["doubt"]


def test_a_hypothetical_answer_is_no_arrival():
    thought = (
        "5 * 9 = 45.\n\nAlternatively, if each box had 8, then the answer would be 40. "
        "But it says 9.\n\nSo the answer is 45."
    )
    assert {item.value for item in detect(QUESTION, thought).arrivals} == {"45"}


@pytest.mark.parametrize(
    "wrap",
    [
        "<think>\n{}",
        "think\n{}\nanswer\nTom has 45 apples.",
        "{}\n\nSo it",
        "\ufeff{}",
    ],
)
def test_styles_of_thoughts(wrap):
    thought = "5 * 9 = 45.\n\nWait, let me check.\n\n5 * 9 = 45. That's right."
    for text in (wrap.format(thought), wrap.format(thought).replace("\n", "\r\n")):
        events = detect(QUESTION, text)
        assert [text[a.start : a.end] for a in events.arrivals] == ["45", "45"]
        assert [text[b.start : b.end] for b in events.backtracks] == [
            "Wait, let me check."
        ]


@pytest.mark.parametrize(
    ("piece", "size"),
    [
        *((piece, 1_000_000) for piece in ("a", "1", ".", "{", "\\boxed{", "let me ")),
        *((piece, 100_000) for piece in ("1,", "1/2 ", "5 * 9 = 45. ", "Wait, 45? ")),
    ],
)
def test_long_and_adverse_text(piece, size):
    thought = f"5 * 9 = 45. So the answer is 45. {piece * (size // len(piece))}"
    arrivals = detect(QUESTION, thought).arrivals
    assert all(0 <= item.start < item.end <= len(thought) for item in arrivals)


@settings(deadline=None)
@given(ANY_THOUGHT)
def test_spans_are_ordered_and_apart_and_hold_their_values(thought):
    events = detect(QUESTION, thought)
    for kind in (
        events.arrivals,
        events.backtracks,
        events.wrap_ups,
        controls(thought, events, frozenset()),
    ):
        ends = [0, *(item.end for item in kind)]
        for before, item in zip(ends, kind, strict=False):
            assert before <= item.start < item.end <= len(thought)
        assert [item.ordinal for item in kind] == list(range(1, len(kind) + 1))
    for item in events.arrivals:
        assert canonical(thought[item.start : item.end]) == item.value


@settings(deadline=None)
@given(ANY_THOUGHT)
def test_two_arrivals_of_one_value_have_a_backtrack_between(thought):
    events = detect(QUESTION, thought)
    turns = [item.start for item in events.backtracks]
    pairs = zip(events.arrivals, events.arrivals[1:], strict=False)
    for one, two in pairs:
        between = any(one.end <= turn < two.end for turn in turns)
        assert between or one.value != two.value
