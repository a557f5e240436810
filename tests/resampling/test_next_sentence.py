"""The next sentence of a new thought, and the verdict on it in its place."""

import pytest
from tiny_resampling import drawn_thought

from resampling.next_sentence import TurnReader, next_sentence

BEFORE = "Two and two is 2 + 2 = 4. So the answer is 4."


@pytest.mark.parametrize(
    ("new", "closed", "text", "ended", "is_new"),
    [
        (" Wait, let me check. 2 + 2", False, "Wait, let me check.", True, True),
        ("\n\nWait, let me check.", True, "Wait, let me check.", True, True),
        (" Wait, let me", False, "Wait, let me", False, True),
        (" Wait, let me", True, "Wait, let me", True, True),
        (" Wait, it is 4.", False, "Wait, it is 4.", False, True),  # maybe 4.5
        ("5 is it. Then", False, "5 is it.", True, False),  # 4.5
        ("\n", True, "", True, True),
        ("", False, "", False, False),
    ],
)
def test_the_next_sentence(new, closed, text, ended, is_new):
    found = next_sentence(BEFORE, new, closed=closed)
    assert (found.text, found.ended, found.is_new) == (text, ended, is_new)
    assert found.lead == new[: len(new) - len(new.lstrip())]


OWN = f"{BEFORE} Wait, let me check. 2 + 2 = 4, which fits. So the final answer is 4."


@pytest.fixture
def reader():
    return TurnReader(drawn_thought(OWN), len(BEFORE), "rules")


def verdict(reader, new, *, closed=False):
    return reader.turns(next_sentence(BEFORE, new, closed=closed))


def test_the_study_s_own_sentence_is_judged_as_in_the_study(reader):
    assert reader.own.text == "Wait, let me check."
    assert reader.turns(reader.own)


def test_new_sentences_are_judged_in_the_place_of_the_study_s(reader):
    assert verdict(reader, "\nHmm, is that right? I doubt it.")
    assert verdict(reader, " Let me check again. 2")
    assert verdict(reader, " Wait, let me")  # cut off, but its cue stands
    assert not verdict(reader, " That makes 4 pears. Wait, let me check.")
    assert not verdict(reader, " So the final answer is 4. ")
    assert not verdict(reader, "\n", closed=True)


def test_a_number_that_goes_on_is_no_new_sentence(reader):
    assert not verdict(reader, "5 is wrong. Wait, let me check.")
