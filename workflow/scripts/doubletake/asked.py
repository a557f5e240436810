"""What a question asks for: its numbers and the unit of the answer."""

import re
from functools import lru_cache
from typing import NamedTuple

from doubletake.numerals import numerals, plain

_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\b(?:how many|(?:the )?(?:\w+ )?number of|how much)\s+((?:[a-z'-]+\s+){0,5}[a-z'-]+)",
    re.IGNORECASE,
)
_NOT_A_NOUN = frozenset(
    "is are was were do does did will would can could should has have had must may more "
    "less fewer of the a an in on to for at per each than total if he she they it i we "
    "you there altogether left and or that".split()
)
_MONEY = frozenset("dollar cent money cost price much pound euro profit penny".split())
_ANYTHING = frozenset("people person thing item total unit one piece kid child".split())
_COUNTED = re.compile(r"\s?-?\s?([a-z]+)(?:\s+([a-z]+))?", re.IGNORECASE)


class Asked(NamedTuple):
    """What a question gives and asks."""

    numbers: frozenset[str]
    """Canonical numbers that stand in the question."""
    units: frozenset[str]
    """Stems of the nouns after "how many"; empty when it asks otherwise."""
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
        if before.rstrip("\\ ").endswith("$") and "$" not in after[:12] and not self.money:
            return False
        if after.lstrip("\\ ").startswith("%") and not self.percent:
            return False
        match = _COUNTED.match(after)
        if match is None:
            return True
        nouns = {stem(word) for word in match.groups() if word}
        return bool(nouns & self.units) or stem(match[1]) not in self.counted


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
        match = _COUNTED.match(text, item.end)
        if match and stem(match[1]) not in _NOT_A_NOUN | _ANYTHING:
            counted.add(stem(match[1]))
    asking = _asking_part(text)
    units = set()
    for match in _HOW_MANY.finditer(asking):
        for word in _WORD.findall(match[1]):
            if word.lower() in _NOT_A_NOUN:
                break
            units.add(stem(word))
    stems = {stem(word) for word in _WORD.findall(asking)}
    return Asked(
        numbers=frozenset(item.value for item in found),
        units=frozenset(units),
        counted=frozenset(counted),
        money=not units or bool(stems & _MONEY),
        percent="%" in asking or "percent" in asking or "percentage" in asking,
    )


def _asking_part(text: str) -> str:
    """The last sentence that asks, or the last sentence."""
    end = text.rfind("?")
    head = text[: end if end >= 0 else len(text)].rstrip(" .\n")
    start = max(head.rfind(". "), head.rfind("? "), head.rfind("! "), head.rfind("\n"))
    return head[start + 1 :]
