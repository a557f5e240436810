"""How alike two sentences are: the cosine of their weighted word counts.

Thought Anchors compares embeddings of a sentence model. No such model is shipped here.
Words and numbers are counted instead, and weighted by how few sentences of the study's
thoughts hold them (tf-idf). Two sentences with other words for the same thing count as
unlike, so this gate lets more sentences through than embeddings would.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[-+*/=%$]")


def words_of(text: str) -> Counter[str]:
    """Counts of a sentence's words, numbers and signs, in lower case."""
    return Counter(_WORD.findall(text.lower()))


@dataclass(frozen=True)
class Similarity:
    """Cosines of sentences; see `of`."""

    sentences: int
    """Number of sentences behind the weights."""
    holding: dict[str, int]
    """By word: the number of these sentences that hold it."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Similarity":
        """Weights from many sentences."""
        holding: Counter[str] = Counter()
        total = 0
        for text in texts:
            holding.update(_known(text).keys())
            total += 1
        return cls(total, dict(holding))

    def weight(self, word: str) -> float:
        """Weight of a word, 1 + log((1 + sentences) / (1 + those that hold it))."""
        return 1 + log((1 + self.sentences) / (1 + self.holding.get(word, 0)))

    def cosine(self, one: str, other: str) -> float:
        """From 0, no word in common, to 1; 0 if a sentence has no word."""
        first, second = _known(one), _known(other)
        shared = sorted(set(first) & set(second))
        product = sum(
            first[word] * second[word] * self.weight(word) ** 2 for word in shared
        )
        lengths = self._length(first) * self._length(second)
        return product / lengths if lengths else 0.0

    def _length(self, counts: Counter[str]) -> float:
        weighted = (counts[word] * self.weight(word) for word in sorted(counts))
        return sqrt(sum(value**2 for value in weighted))


@lru_cache(maxsize=4096)
def _known(text: str) -> Counter[str]:
    return words_of(text)
