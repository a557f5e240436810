"""What a question asks for: its numbers and the unit of the answer."""

import re
from functools import lru_cache
from typing import NamedTuple

from doubletake.text.numerals import numerals, plain

_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\b(?:how many|(?:the )?(?:\w+ )?number of)\s+((?:[a-z'-]+\s+){0,5}[a-z'-]+)",
    re.IGNORECASE,
)
_ENDS_NOUN = frozenset(
    str.split(
        "is are was were do does did will would can could should has have had must may "
        "more less fewer of the a an in on to for at per each than total if he she "
        "they it i we you there altogether left and or that"
    )
)
_PLURALS = frozenset(str.split("people children men women feet fish sheep mice teeth"))
_ANYTHING = frozenset(
    str.split("people person thing item total unit one piece kid child")
)
_MONEY = frozenset(str.split("dollar cent money cost price pound euro profit penny"))
_NAMED = re.compile(
    r"\b(?:number of|total|all the) ([a-z]+) (?:is|are|was|were|be|=)[\s$*]*$",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\s?-?\s?([a-z]+(?:\s+[a-z]+){0,3})", re.IGNORECASE)


class Asked(NamedTuple):
    """What a question gives and asks."""

    numbers: frozenset[str]
    """Canonical numbers that stand in the question."""
    units: frozenset[str]
    """Stems of the words of "how many ..."; empty when it asks otherwise."""
    counted: frozenset[str]
    """Stems of the nouns that follow a number in the question."""
    money: bool
    """Whether the answer may be an amount of money."""
    percent: bool
    """Whether the answer may be a percentage."""

    def fits(self, before: str, after: str) -> bool:
        """Whether a number between these texts may carry the asked unit.

        Only a plain contradiction is refused: another counted thing of the question,
        money where things are counted, a percentage where none is asked.
        """
        if not self.units:
            return True
        if (
            not self.money
            and before.rstrip("\\ ").endswith("$")
            and "$" not in after[:12]
        ):
            return False
        if not self.percent and after.lstrip("\\ ").startswith("%"):
            return False
        named = _NAMED.search(before)
        if named and stem(named[1]) in self.counted - self.units:
            return False
        match = _AFTER.match(after)
        if match is None:
            return True
        stems = [stem(word) for word in match[1].split()]
        return stems[0] not in self.counted or not self.units.isdisjoint(stems)


def stem(word: str) -> str:
    """A noun without its plural ending."""
    word = word.lower()
    for ending, instead in (("ies", "y"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=64)
def what_is_asked(question: str) -> Asked:
    """Read a question."""
    text = plain(question)
    found = list(numerals(text))
    counted = set()
    for item in found:
        match = _AFTER.match(text, item.end)
        if match:
            counted.add(stem(match[1].split()[0]))
    asking = _asking_part(text)
    units = _units(asking)
    stems = {stem(word) for word in _WORD.findall(asking)}
    return Asked(
        numbers=frozenset(item.value for item in found),
        units=units,
        counted=frozenset(counted - _ENDS_NOUN - _ANYTHING),
        money=bool(stems & _MONEY),
        percent="%" in asking or bool(stems & {"percent", "percentage"}),
    )


def _units(asking: str) -> frozenset[str]:
    """Stems of the noun phrases after "how many", up to their plural."""
    units: set[str] = set()
    for match in _HOW_MANY.finditer(asking):
        phrase: list[str] = []
        for word in _WORD.findall(match[1].lower()):
            if word in _ENDS_NOUN and phrase:
                break
            phrase.append(word)
        plural = [word for word in phrase if word.endswith("s") or word in _PLURALS]
        if plural:
            units.update(stem(word) for word in phrase if word not in _ENDS_NOUN)
    return frozenset(units)


def _asking_part(text: str) -> str:
    """The last sentence that asks, or the last sentence."""
    end = text.rfind("?")
    head = text[: end if end >= 0 else len(text)].rstrip(" .\n")
    start = max(head.rfind(mark) for mark in (". ", "? ", "! ", "\n"))
    return head[start + 1 :]
