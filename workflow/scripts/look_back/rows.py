"""Rows of the tables of looking back, from the shares of each look."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from look_back.forward_pass import Shares
from look_back.looks import COLUMNS, Look, TraceLooks
from look_back.matching import ImportantWord
from look_back.tables import ATTENTION_BASELINES, CLASS, LOOK_BACK, PLACE

Row = dict[str, Any]
SOURCES = {
    "important": "share",
    "matched": "place_share",
    "important_even": "even",
    "matched_even": "place_even",
}
"""Columns of `LOOK_BACK`, and the columns of `LOOK_BACK_WORDS` that they average."""
OWN = COLUMNS.index("own")
MATCH = COLUMNS.index(PLACE)


def rows_of_look(
    item: TraceLooks, look: Look, shares: Shares
) -> tuple[Row, list[Row], list[Row]]:
    """A row of `LOOK_BACK`, rows of `LOOK_BACK_WORDS` and of `LOOK_BACK_LAYERS`."""
    key: Row = {"trace": item.trace, "problem": item.problem, "event": look.event}
    key |= {"kind": look.kind}
    rest = shares.rest.double().sum().item()
    by_word = shares.words.double().sum((0, 1)) / rest if look.queries else None
    even = shares.even.double().mean(0) if look.queries else None
    words = [key | _word_row(look, k, by_word, even) for k in range(len(look.words))]
    paired = [k for k, word in enumerate(look.words) if word.partners[PLACE]]
    row = dict.fromkeys(LOOK_BACK.schema) | key
    row |= {
        "position": look.position,
        "next_words": look.next_words,
        "next_tokens": len(look.queries),
        "words": len(paired),
    }
    if not look.queries:
        return row, words, []
    row["first_token"] = 1 - shares.rest.double().mean().item()
    if not paired:
        return row, words, []
    for name, column in SOURCES.items():
        row[name] = _mean_of([words[k][column] for k in paired])
    means = shares.words[:, :, paired].double().mean(2)  # [layer, head, column]
    layers = [
        key
        | {
            "layer": layer,
            "important": means[layer, :, OWN].tolist(),
            "matched": means[layer, :, MATCH].tolist(),
            "rest": shares.rest[layer].tolist(),
        }
        for layer in range(len(means))
    ]
    return row, words, layers


def _mean_of(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _word_row(
    look: Look, k: int, shares: torch.Tensor | None, even: torch.Tensor | None
) -> Row:
    """Columns of `LOOK_BACK_WORDS` of the k-th word.

    Args:
        look: the position.
        k: index of the word.
        shares: [word, `COLUMNS`], over all layers and heads; None: no word follows.
        even: [word, `COLUMNS`], if attention were spread evenly; None: as above.
    """
    word = look.words[k]
    own = word.occurrence
    row: Row = {
        "rank": word.rank,
        "word": own.word,
        "token": own.tokens.start,
        "tokens": len(own.tokens),
        "distance": look.position - own.tokens.start,
        "is_number": own.is_number,
        "follows": own.follows,
        "share": _cell(shares, k, OWN),
        "even": _cell(even, k, OWN),
    }
    for name in ATTENTION_BASELINES:
        row[f"{name}_partners"] = len(word.partners[name])
    for column, name in enumerate(COLUMNS):
        if name in ATTENTION_BASELINES:
            given = bool(word.partners[name])
            row[f"{name}_share"] = _cell(shares, k, column) if given else None
    place = word.partners[PLACE]
    row["place_even"] = _cell(even, k, MATCH) if place else None
    distances = [look.position - one.tokens.start for one in place]
    row["place_distance"] = _mean_of(distances) if place else None
    return row | {f"{name}_follows": _follows(word, name) for name in (PLACE, CLASS)}


def _follows(word: ImportantWord, baseline: str) -> float | None:
    """Share of a word's matches whose word occurs again; None without matches."""
    partners = word.partners[baseline]
    return _mean_of([one.follows for one in partners]) if partners else None


def _cell(values: torch.Tensor | None, k: int, column: int) -> float | None:
    return None if values is None else values[k, column].item()
