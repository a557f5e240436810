"""Control words: other words of the study's thoughts, forbidden in place of keywords.

For each keyword that the thoughts hold, a word about as frequent is drawn. Every
thought has its own draw, so that the comparison does not hang on one set of words.
"""

import math
from collections import Counter
from collections.abc import Iterable

from decoding_actions.forbidden_words import ForbiddenWord, Vocabulary, core
from doubletake.stats.draws import generator

NEAREST = 5
"""A control word is drawn among so many words that are nearest in frequency."""
LEAST_LETTERS = 2


def whole_words(vocabulary: Vocabulary, without: Iterable[str]) -> dict[str, int]:
    """Words that thoughts write as one token, never as a part of a longer word.

    Args:
        vocabulary: of the study.
        without: words that are left out.

    Returns:
        How often the thoughts hold each of them.
    """
    texts = vocabulary.texts
    inside: set[str] = set()
    for thought in vocabulary.thoughts:
        for k, token in enumerate(thought):
            before = texts[thought[k - 1]][-1:] if k else ""
            after = texts[thought[k + 1]][:1] if k + 1 < len(thought) else ""
            text = texts[token]
            if (text[:1].isalpha() and before.isalpha()) or (
                text[-1:].isalpha() and after.isalpha()
            ):
                inside.add(core(text))
    counts: Counter[str] = Counter()
    for token, count in vocabulary.counts.items():
        counts[core(texts[token])] += count
    left_out = inside.union(without)
    return {
        word: count
        for word, count in sorted(counts.items())
        if len(word) >= LEAST_LETTERS and word.isalpha() and word not in left_out
    }


def control_words(
    words: Iterable[ForbiddenWord], candidates: dict[str, int], seed: int, trace: str
) -> list[str]:
    """As many words about as frequent, drawn for one thought.

    Args:
        words: the keywords; those that the thoughts never hold need no control.
        candidates: see `whole_words`.
        seed: of the draw.
        trace: id of the thought's trace.
    """
    draw = generator(seed, "control", trace)
    left = dict(candidates)
    drawn = []
    for word in sorted(words, key=lambda word: (-word.written, word.keyword)):
        if not word.written or not left:
            continue
        near = sorted(left, key=lambda name: _distance(left[name], word.written))
        chosen = draw.choice(near[:NEAREST])
        drawn.append(chosen)
        del left[chosen]
    return drawn


def _distance(count: int, wanted: int) -> float:
    return abs(math.log(count / wanted))
