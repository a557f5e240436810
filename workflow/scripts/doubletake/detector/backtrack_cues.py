"""Cues of a backtrack: which sentences doubt, check, re-read or start again.

A sentence is judged by its own words. Its kind may also depend on the next sentence.
Whether the sentence is a backtrack depends on its place, which `rules_detector` judges.
"""

from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

from doubletake.detector import chinese_cues
from doubletake.detector import cue_patterns as english_cues

CHECK, DOUBT, ALTERNATIVE, REREAD = "check", "doubt", "alternative", "reread"
KINDS = (CHECK, DOUBT, ALTERNATIVE, REREAD)
# ASSUME: the start of a sentence shows whether it turns back.
HEAD_LENGTH = 240  # characters
TAIL_LENGTH = 12  # characters that show a tag question or a quotation
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


def _lists(text: str) -> tuple[ModuleType, ...]:
    """The lists of patterns for the languages of a text."""
    if chinese_cues.in_chinese(text):
        return (english_cues, chinese_cues)
    return (english_cues,)


def _has(pattern: str, text: str, start: int = 0) -> bool:
    """Whether a text has a pattern of one of its languages from `start` on."""
    return any(getattr(cues, pattern).search(text, start) for cues in _lists(text))


def _begins(pattern: str, text: str, start: int = 0) -> bool:
    """Whether a text has a pattern of one of its languages at `start`."""
    return any(getattr(cues, pattern).match(text, start) for cues in _lists(text))


def asks(sentence: str) -> bool:
    """Whether a sentence ends with a question mark."""
    return sentence.rstrip().endswith(("?", "\N{FULLWIDTH QUESTION MARK}"))


def turn_cue(sentence: str) -> Cue | None:
    """The cue of a sentence that turns back; None for any other sentence."""
    return _turn_cue(sentence[:HEAD_LENGTH], sentence[-TAIL_LENGTH:])


@lru_cache(maxsize=4096)
def _turn_cue(head: str, tail: str) -> Cue | None:
    """The cue of a sentence, given its first and its last characters."""
    head = head.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    matches = [cues.CUE.match(head) for cues in _lists(head)]
    match = next(filter(None, matches), None)
    if match is None:
        return None
    form = match.lastgroup or ""
    if form in ("doubt", "but", "hmm") and _is_rhetorical(head, tail):
        return None
    if form == "checking" and head.lstrip("(")[0].isdigit():
        return None  # a step of a numbered list: "5. Check the total."
    if form == "wonder" and _begins("CONSEQUENCE", head):
        return None
    words = head[match.end("filler") : match.end()].strip()
    first = english_cues.FIRST_WORD.match(head)
    if first and form != "wait":
        words = first["word"] or first["hmm"]
    starts_new_turn = _begins("NEW_TURN", head, match.end("filler"))
    return Cue(words[:40], form, starts_new_turn)


def _is_rhetorical(head: str, tail: str) -> bool:
    """Whether a question asks nothing: "..., right?", "So, is it 8?", a quotation."""
    if "?" not in head and "\N{FULLWIDTH QUESTION MARK}" not in head:
        return False
    if _begins("CONSEQUENCE", head) or tail.endswith(
        ('?"', "?\N{RIGHT DOUBLE QUOTATION MARK}")
    ):
        return True
    return _has("TAG_QUESTION", tail) and not head.startswith("But")


def kind_of(cue: Cue, sentence: str, following: str) -> str:
    """The kind of turn that a sentence makes, given the sentence that follows it.

    By the labelling guide, another reading or a suspicion is a doubt. A return to the
    text of the question is re-reading. Another method, if named, is an alternative.
    Everything else is a check.
    """
    head, ahead = sentence[:HEAD_LENGTH], following[:HEAD_LENGTH]
    is_suspicious = _has("SUSPICION", head)
    if _has("OTHER_READING", head) or (
        cue.form == "doubt" and not _has("OTHER_METHOD", head)
    ):
        return DOUBT
    if cue.form == "alternatively":
        doubts = _has("COUNTERFACTUAL", head) or (
            is_suspicious and not _has("METHOD", head)
        )
        return DOUBT if doubts else ALTERNATIVE
    if _has("RETURN_TO_TEXT", head):
        return REREAD
    if _has("OTHER_METHOD", head):
        return ALTERNATIVE
    if cue.form in ("wonder", "but", "hmm", "denial") or is_suspicious:
        return DOUBT
    if len(head) < SHORT_SENTENCE and _has("RETURN_TO_TEXT", ahead):
        return REREAD
    if (
        len(head) < SHORT_SENTENCE
        and not _has("CHECK_WORD", head)
        and _begins("RAISED_DOUBT", ahead)
    ):
        return DOUBT
    return CHECK


def is_verdict(sentence: str) -> bool:
    """Whether a sentence gives a verdict that closes a turn ("That checks out.")."""
    if asks(sentence):
        return False
    return _has("VERDICT", sentence[:HEAD_LENGTH])


def finds_the_same(sentence: str) -> bool:
    """Whether a sentence finds that another way comes to the same."""
    return _has("SAME_AGAIN", sentence[:HEAD_LENGTH])


def only_asks(cue: Cue, sentence: str) -> bool:
    """Whether a short question only says its number again ("Wait, 2 * 9 is 18?")."""
    return (
        cue.form == "wait"
        and asks(sentence)
        and len(sentence) < SHORT_SENTENCE
        and not _has("SUPPOSITION", sentence)
    )


def is_guess(sentence: str) -> bool:
    """Whether a sentence begins with "maybe" or "perhaps"."""
    return _begins("GUESS", sentence)


def is_agreement(sentence: str) -> bool:
    """Whether a sentence says yes to the sentence before it."""
    return _begins("AGREEMENT", sentence)
