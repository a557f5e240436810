"""Cues of a backtrack: which sentences doubt, check, re-read or start again.

A sentence is judged by its own words. Its kind may also depend on the next sentence.
Whether the sentence is a backtrack depends on its place, which `rules_detector` judges.
"""

from typing import NamedTuple

from doubletake.detector import cue_patterns as patterns

CHECK, DOUBT, ALTERNATIVE, REREAD = "check", "doubt", "alternative", "reread"
KINDS = (CHECK, DOUBT, ALTERNATIVE, REREAD)
# ASSUME: the start of a sentence shows whether it turns back.
HEAD_LENGTH = 240  # characters
# ASSUME: a turn in a shorter sentence is explained by the next sentence.
SHORT_SENTENCE = 60  # characters


class Cue(NamedTuple):
    """The words that signal a turn."""

    text: str
    """The words as they are written."""
    form: str
    """Which form of `cue_patterns` the words have."""
    starts_new_turn: bool
    """Whether the words start a new turn even inside a turn without a verdict."""


def turn_cue(sentence: str) -> Cue | None:
    """The cue of a sentence that turns back; None for any other sentence."""
    head = sentence[:HEAD_LENGTH].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    match = patterns.CUE.match(head)
    if match is None:
        return None
    form = match.lastgroup or ""
    if form in ("doubt", "but", "hmm") and _is_rhetorical(sentence, head):
        return None
    if form == "wonder" and patterns.CONSEQUENCE.match(head):
        return None
    words = head[match.end("filler") : match.end()].strip()
    first = patterns.FIRST_WORD.match(head)
    if first and form != "wait":
        words = first["word"] or first["hmm"]
    starts_new_turn = bool(patterns.NEW_TURN.match(head, match.end("filler")))
    return Cue(words[:40], form, starts_new_turn)


def _is_rhetorical(sentence: str, head: str) -> bool:
    """Whether a question asks nothing: "..., right?", "So, is it 8?", a quotation."""
    if "?" not in head:
        return False
    if patterns.CONSEQUENCE.match(head) or sentence.endswith(
        ('?"', "?\N{RIGHT DOUBLE QUOTATION MARK}")
    ):
        return True
    return bool(
        patterns.TAG_QUESTION.search(sentence[-12:])
    ) and not sentence.startswith("But")


def kind_of(cue: Cue, sentence: str, following: str) -> str:
    """The kind of turn that a sentence makes, given the sentence that follows it.

    By the labelling guide, another reading or a suspicion is a doubt. A return to the
    text of the question is re-reading. Another method, if named, is an alternative.
    Everything else is a check.
    """
    head, ahead = sentence[:HEAD_LENGTH], following[:HEAD_LENGTH]
    is_suspicious = patterns.SUSPICION.search(head) is not None
    if patterns.OTHER_READING.search(head) or (
        cue.form == "doubt" and not patterns.OTHER_METHOD.search(head)
    ):
        return DOUBT
    if cue.form == "alternatively":
        doubts = patterns.COUNTERFACTUAL.search(head) or (
            is_suspicious and not patterns.METHOD.search(head)
        )
        return DOUBT if doubts else ALTERNATIVE
    if patterns.RETURN_TO_TEXT.search(head):
        return REREAD
    if patterns.OTHER_METHOD.search(head):
        return ALTERNATIVE
    if cue.form in ("wonder", "but", "hmm", "denial") or is_suspicious:
        return DOUBT
    if len(head) < SHORT_SENTENCE and patterns.RETURN_TO_TEXT.search(ahead):
        return REREAD
    if (
        len(head) < SHORT_SENTENCE
        and not patterns.CHECK_WORD.search(head)
        and patterns.RAISED_DOUBT.match(ahead)
    ):
        return DOUBT
    return CHECK


def is_verdict(sentence: str) -> bool:
    """Whether a sentence gives a verdict that closes a turn ("That checks out.")."""
    if sentence.rstrip().endswith("?"):
        return False
    return bool(patterns.VERDICT.search(sentence[:HEAD_LENGTH]))


def finds_the_same(sentence: str) -> bool:
    """Whether a sentence finds that another way comes to the same."""
    return bool(patterns.SAME_AGAIN.search(sentence[:HEAD_LENGTH]))


def only_asks(cue: Cue, sentence: str) -> bool:
    """Whether a short question only says its number again ("Wait, 2 * 9 is 18?")."""
    return (
        cue.form == "wait"
        and sentence.endswith("?")
        and len(sentence) < SHORT_SENTENCE
        and not patterns.SUPPOSITION.search(sentence)
    )


def is_guess(sentence: str) -> bool:
    """Whether a sentence begins with "maybe" or "perhaps"."""
    return bool(patterns.GUESS.match(sentence))


def is_agreement(sentence: str) -> bool:
    """Whether a sentence says yes to the sentence before it."""
    return bool(patterns.AGREEMENT.match(sentence))
