"""How high the words of the planted cause rank among the words before a turn."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import polars as pl

from doubletake.stats.matched_words import frequency_class
from doubletake.text.words import Word, words_around
from loop.methods import EXACT, MAX_ABS, MEAN_ABS, SAME_EVENTS
from pocket.reading import NONE, TURN
from truth.reading import cause_words

EVENT = ("trace", "event")
Class = tuple[bool, int]
"""Whether a word is a number, and its class of frequency."""


@dataclass(frozen=True)
class Ranked:
    """The words before a turn with a planted cause, in the order of one ranking."""

    problem: str
    cause: str
    flags: tuple[bool, ...]
    """Whether each word is one of the cause, the most important word first."""
    classes: tuple[Class, ...]

    @property
    def is_named(self) -> bool:
        """Whether a word of the cause is ranked at all; else it counts as a miss."""
        return any(self.flags)

    def hit(self, top: int) -> bool:
        """Whether a word of the cause is among the first ones."""
        return any(self.flags[:top])

    def chance(self, top: int) -> float:
        """Probability of a hit with all words in random order."""
        return chance_of_hit(self.flags, top, [()] * len(self.flags))

    def matched(self, top: int) -> float:
        """The same if words change places within their class only."""
        return chance_of_hit(self.flags, top, self.classes)


def chance_of_hit(flags: Sequence[bool], top: int, classes: Sequence[Any]) -> float:
    """Probability that a marked place is among the first ones, marks drawn by class.

    Within each class, the marks fall on random places of the class, as many as before.

    Args:
        flags: [place], whether it is marked.
        top: how many places count as first.
        classes: [place].
    """
    missed = 1.0
    for name in dict.fromkeys(classes):
        places = [k for k, one in enumerate(classes) if one == name]
        marks = sum(flags[k] for k in places)
        last = sum(k >= top for k in places)
        missed *= comb(last, marks) / comb(len(places), marks)
    return 1 - missed


@dataclass(frozen=True)
class Context:
    """The words before a turn with a planted cause."""

    row: dict[str, Any]
    """Of `ATTRIBUTION_TOKENS`, with `cause`."""
    words: list[Word]
    """Every occurrence, with stop words."""
    stop_words: frozenset[str]
    cause_names: frozenset[str]
    """Names of the words of the cause."""

    def ranked(self, best: Mapping[str, float]) -> Ranked:
        """The words by importance; of equally important ones the earlier one first.

        Args:
            best: importance by name; names without one are left out.
        """
        counts = Counter(word.name for word in self.words)
        names = sorted(
            (name for name in counts if name in best), key=lambda name: -best[name]
        )
        return Ranked(
            self.row["problem"],
            self.row["cause"],
            tuple(name in self.cause_names for name in names),
            tuple(
                (name[:1].isdigit(), frequency_class(counts[name])) for name in names
            ),
        )

    def by_tokens(self, column: str, among: Container[str] | None = None) -> Ranked:
        """Words by a column of `ATTRIBUTION_TOKENS`, each by its largest token.

        Args:
            column: of the scores.
            among: names of the words that are ranked; None: all but stop words.
        """
        scores = self.row[column]
        best: dict[str, float] = {}
        for word in self.words:
            is_in = (
                word.name not in self.stop_words
                if among is None
                else (word.name in among)
            )
            if is_in:
                own = max(scores[word.first_token : word.last_token + 1])
                best[word.name] = max(best.get(word.name, own), own)
        return self.ranked(best)


def contexts_of(
    tables: Mapping[str, pl.DataFrame], stop_words: frozenset[str]
) -> list[Context]:
    """The scored backtracks with a planted cause.

    Args:
        tables: `tokens`, `prompts`, `problems`, `traces`, `events` and `truth`, as in
            `summarise.py`.
        stop_words: words that the recipe does not rank.
    """
    turns = (
        tables["truth"]
        .filter(pl.col("cause") != NONE, choice=TURN)
        .select("trace", "start", "cause", "cause_in", "cause_start", "cause_end")
    )
    starts = tables["events"].select(*EVENT, "start")
    rows = (
        tables["tokens"]
        .filter(kind="backtrack")
        .join(starts, on=EVENT, maintain_order="left")
        .join(turns, on=("trace", "start"), maintain_order="left")
        .drop_nulls("cause")
    )
    texts, prompts = (
        tables[name].rows_by_key("trace", named=True, unique=True)
        for name in ("traces", "prompts")
    )
    questions = dict(tables["problems"].select("problem", "question").iter_rows())
    contexts = []
    for row in rows.iter_rows(named=True):
        trace, prompt = texts[row["trace"]], prompts[row["trace"]]
        words, _ = words_around(row["position"], trace, prompt)
        question, length = questions[row["problem"]], len(trace["prompt_ids"])
        cause = cause_words(words, row, prompt, question, length)
        names = frozenset(word.name for word in cause)
        contexts.append(Context(row, words, stop_words, names))
    return contexts


def rankings_of(
    contexts: Sequence[Context], exact_words: pl.DataFrame
) -> dict[str, list[Ranked]]:
    """All rankings: by estimated scores, and by exact values where words have them.

    Args:
        contexts: of the backtracks.
        exact_words: `EXACT_WORDS`.
    """
    exact: dict[tuple[str, int], dict[str, float]] = {}
    rows = exact_words.select(*EVENT, "word", pl.col("exact").abs()).iter_rows()
    for trace, event, word, value in rows:
        own = exact.setdefault((trace, event), {})
        own[word] = max(own.get(word, value), value)
    names = [(one.row["trace"], one.row["event"]) for one in contexts]
    both = [
        (context, exact[name])
        for context, name in zip(contexts, names, strict=True)
        if name in exact
    ]
    return {
        MAX_ABS: [one.by_tokens(MAX_ABS) for one in contexts],
        MEAN_ABS: [one.by_tokens(MEAN_ABS) for one in contexts],
        EXACT: [context.ranked(best) for context, best in both],
        SAME_EVENTS: [context.by_tokens(MAX_ABS, best) for context, best in both],
    }
