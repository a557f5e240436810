"""Sentences that turn back, and their kinds."""

import pytest

from doubletake.detector.backtrack_cues import KINDS, is_verdict, kind_of, turn_cue


@pytest.mark.parametrize(
    ("sentence", "words", "kind"),
    [
        ("Wait, let me double-check that.", "Wait", "check"),
        ("Wait a second, is that right?", "Wait a second", "doubt"),
        ("But hold on, let me make sure.", "But hold on", "check"),
        ("Let me just verify this.", "Let me just verify", "check"),
        ("To be thorough, I'll add them up.", "To be thorough", "check"),
        ("Just to recap:", "Just to recap", "check"),
        ("Double-checking: 5 + 3 = 8.", "Double-checking", "check"),
        ("Let me go over it again.", "Let me go over", "check"),
        ("Alternatively, multiply first.", "Alternatively", "alternative"),
        ("Another way to see it: 2 * 4.", "Another way", "alternative"),
        ("Let's try a different approach.", None, "alternative"),
        ("Alternatively, maybe the question means all of them?", None, "doubt"),
        ("Is there a chance that they count twice?", "Is", "doubt"),
        ("Hmm, but what if it is a leap year?", "Hmm", "doubt"),
        ("What if he bought two?", "What if", "doubt"),
        ("But maybe I missed a step.", "But", "doubt"),
        ("Did I add that correctly?", "Did", "doubt"),
        ("Hmm, 12 + 7 = 18 is wrong.", "Hmm", "doubt"),
        ("Let me reread the question.", None, "reread"),
        ("But let me read the problem once more.", "But", "reread"),
        ("Wait, the problem says each day.", "Wait", "reread"),
        ("**Wait**, no.", "Wait", "check"),
        ("So, wait, let me check.", "wait", "check"),
    ],
)
def test_turns(sentence, words, kind):
    cue = turn_cue(sentence)
    assert cue is not None
    assert words is None or cue.text == words
    assert kind_of(cue, sentence, "") == kind


@pytest.mark.parametrize(
    "sentence",
    [
        "So the answer is 8.",
        "Let me write that down.",
        "Let me calculate that.",
        "Now, let me add the two amounts.",
        "Hmm, that seems straightforward.",
        "So, is the total 48?",
        "That makes sense, right?",
        "But the price is $5.",
        'How much money does he have left?"',
        "Second, he buys 3 apples.",
        "The waiter checks the bill.",
        "",
        "   ",
    ],
)
def test_other_sentences_do_not(sentence):
    assert turn_cue(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "Yes, that's correct.",
        "That checks out.",
        "Same result.",
        "So that makes sense.",
    ],
)
def test_verdicts(sentence):
    assert is_verdict(sentence)


@pytest.mark.parametrize(
    "sentence", ["Is that correct?", "5 + 3 = 8.", "He has 8 apples."]
)
def test_no_verdicts(sentence):
    assert not is_verdict(sentence)


def test_the_next_sentence_helps_to_tell_the_kind():
    sentence = "Let me check again."
    cue = turn_cue(sentence)
    assert cue is not None
    assert kind_of(cue, sentence, "The problem says each day.") == "reread"
    assert kind_of(cue, sentence, "5 + 3 = 8.") == "check"
    assert set(KINDS) == {"check", "doubt", "alternative", "reread"}
