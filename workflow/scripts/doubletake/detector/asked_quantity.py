"""What a question asks for: the unit of its answer, and the numbers that it gives."""

import re
from functools import lru_cache
from typing import NamedTuple

from doubletake.text.decimal_marks import decimal_mark
from doubletake.text.numerals import numerals, plain

_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\b(?:how many|(?:the )?(?:\w+ )?number of)\s+((?:[a-z'-]+\s+){0,5}[a-z'-]+)",
    re.IGNORECASE,
)
# ASSUME: word lists chosen by hand for school problems decide which units fit.
_ENDS_NOUN_PHRASE = frozenset(
    str.split(
        "is are was were do does did will would can could should has have had must may "
        "more less fewer of the a an in on to for at per each than total if he she "
        "they it i we you there altogether left and or that"
    )
)
_IRREGULAR_PLURALS = frozenset(
    str.split("people children men women feet fish sheep mice teeth")
)
_GENERAL_NOUNS = frozenset(
    str.split("people person thing item total unit one piece kid child")
)
_MONEY_WORDS = frozenset(
    str.split("dollar cent money cost price pound euro profit penny")
)
_ABBREVIATIONS = dict(
    pair.split("=")
    for pair in str.split(
        "kg=kilogram kgs=kilogram km=kilometer cm=centimeter mm=millimeter "
        "ml=milliliter lb=pound lbs=pound oz=ounce ft=foot feet=foot hr=hour hrs=hour "
        "min=minute mins=minute sec=second secs=second mph=mile kph=kilometer"
    )
)
_NOUN_BEFORE = re.compile(
    r"\b(?:number of|total|all the) ([a-z]+) (?:is|are|was|were|be|=)[\s$*]*$",
    re.IGNORECASE,
)
_NOUN_AFTER = re.compile(r"\s?-?\s?([a-z]+(?:\s+[a-z]+){0,3})", re.IGNORECASE)


class AskedQuantity(NamedTuple):
    """The quantity that a question asks for, and the numbers that it gives."""

    given_numbers: frozenset[str]
    """Canonical forms of the numbers in the question."""
    answer_units: frozenset[str]
    """Stems of the words after "how many"; empty for another kind of question."""
    counted_nouns: frozenset[str]
    """Stems of the nouns that follow a number in the question."""
    may_be_money: bool
    """Whether the answer may be an amount of money."""
    may_be_percent: bool
    """Whether the answer may be a percentage."""
    decimal_mark: str | None
    """The sign that the question writes before decimals, if it shows one."""

    def fits(self, before: str, after: str) -> bool:
        """Whether a number between two texts may have the unit of the answer.

        Only a plain contradiction is refused: another noun that the question counts,
        money where the question asks for a count, or a percentage where the question
        does not ask for one.

        Args:
            before: the text before the number.
            after: the text after the number.
        """
        if not self.answer_units:
            return True
        if (
            not self.may_be_money
            and before.rstrip("\\ ").endswith("$")
            and "$" not in after[:12]
        ):
            return False
        if not self.may_be_percent and after.lstrip("\\ ").startswith("%"):
            return False
        named = _NOUN_BEFORE.search(before)
        if named and stem(named[1]) in self.counted_nouns - self.answer_units:
            return False
        match = _NOUN_AFTER.match(after)
        if match is None:
            return True
        stems = [stem(word) for word in match[1].split()]
        return stems[0] not in self.counted_nouns or not self.answer_units.isdisjoint(
            stems
        )


def stem(word: str) -> str:
    """A noun without its plural ending; an abbreviated unit in full."""
    word = word.lower()
    if word in _ABBREVIATIONS:
        return _ABBREVIATIONS[word]
    for ending, singular in (
        ("ies", "y"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + singular
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=64)
def read_question(question: str) -> AskedQuantity:
    """What a question asks for."""
    text = plain(question)
    mark = decimal_mark(text)
    numbers = list(numerals(text, mark))
    counted = set()
    for item in numbers:
        match = _NOUN_AFTER.match(text, item.end)
        if match:
            counted.add(stem(match[1].split()[0]))
    asking = _asking_part(text)
    units = _answer_units(asking)
    stems = {stem(word) for word in _WORD.findall(asking)}
    return AskedQuantity(
        given_numbers=frozenset(item.value for item in numbers),
        answer_units=units,
        counted_nouns=frozenset(counted - _ENDS_NOUN_PHRASE - _GENERAL_NOUNS),
        may_be_money=bool(stems & _MONEY_WORDS),
        may_be_percent="%" in asking or bool(stems & {"percent", "percentage"}),
        decimal_mark=mark,
    )


def _answer_units(asking: str) -> frozenset[str]:
    """Stems of the words after "how many", where one of the words is a plural."""
    units: set[str] = set()
    for match in _HOW_MANY.finditer(asking):
        phrase: list[str] = []
        for word in _WORD.findall(match[1].lower()):
            if word in _ENDS_NOUN_PHRASE and phrase:
                break
            phrase.append(word)
        plural = [
            word for word in phrase if word.endswith("s") or word in _IRREGULAR_PLURALS
        ]
        if plural:
            units.update(stem(word) for word in phrase if word not in _ENDS_NOUN_PHRASE)
    return frozenset(units)


def _asking_part(text: str) -> str:
    """The last question of a text, or its last sentence if it has no question."""
    end = text.rfind("?")
    head = text[: end if end >= 0 else len(text)].rstrip(" .\n")
    start = max(head.rfind(mark) for mark in (". ", "? ", "! ", "\n"))
    return head[start + 1 :]
