"""Contexts of looking back whose texts have one word per token."""

from typing import Any

import numpy as np
import polars as pl
import torch
from thought_edges import edges_of

from attribution.tables import (
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from look_back.tables import LOOK_BACK, LOOK_BACK_LAYERS, LOOK_BACK_WORDS
from traces.tables import TRACES

QUESTION = "<s> Tom has 9 pens and 8 cups"
THOUGHT = (
    "so 9 red and 8 blue so 17 green pens now Wait red 9 blue is not 8 cups so it is 17"
)
POSITION = len(QUESTION.split()) + THOUGHT.split().index("Wait") - 1
"""The token before "Wait"."""


def pieces_of(text: str) -> list[str]:
    """The tokens of a text: one per word, with the space before it."""
    words = text.split()
    return [words[0], *(f" {word}" for word in words[1:])]


def starts(pieces: list[str]) -> list[int]:
    """The character at which each token starts."""
    return [0, *np.cumsum([len(piece) for piece in pieces])[:-1].tolist()]


def trace_row(trace: str, thought: str = THOUGHT) -> dict[str, Any]:
    """A trace with random tokens, one per word."""
    prompt, completion = pieces_of(QUESTION), pieces_of(thought)
    seed = sum(map(ord, trace))
    ids = torch.randint(
        6, 90, (len(prompt) + len(completion),),
        generator=torch.Generator().manual_seed(seed),
    ).tolist()  # fmt: skip
    text = "".join(completion)
    return {
        "trace": trace,
        "problem": trace.split("/")[0],
        "sample": 0,
        "prompt_ids": ids[: len(prompt)],
        "completion_ids": ids[len(prompt) :],
        "logprobs": None,
        "text": text,
        "offsets": starts(completion),
        "thought_end": None,
        **edges_of(text),
        "finish": "length",
        "answer": None,
        "correct": False,
    }


def prompt_row(trace: str) -> dict[str, Any]:
    """The prompt: its question starts after the marker."""
    pieces = pieces_of(QUESTION)
    text = "".join(pieces)
    return {
        "trace": trace,
        "text": text,
        "offsets": starts(pieces),
        "start": len("<s> "),
        "end": len(text),
    }


def token_row(trace: str, event: int, kind: str, position: int) -> dict[str, Any]:
    """A scored position; its scores are not read."""
    prompt = len(QUESTION.split())
    return {
        "trace": trace,
        "event": event,
        "problem": trace.split("/")[0],
        "kind": kind,
        "position": position,
        "metric_value": 0.0,
        "question_start": 1,
        "question_end": prompt,
        "thought_start": prompt,
        **{name: [0.0] * position for name in ("max_abs", "mean_abs", "signed_max")},
        "position_max_abs": 0.0,
        "position_mean_abs": 0.0,
    }


def word_rows(
    trace: str, event: int, kind: str, words: list[tuple[str, int, int, bool]]
) -> list[dict[str, Any]]:
    """Ranked words: name, token, occurrences, and whether the word follows."""
    return [
        {"trace": trace, "event": event, "kind": kind, "rank": rank, "word": word}
        | {"context_part": 0, "token": token, "occurrences": occurrences}
        | {"max_abs": 1.0 / rank, "mean_abs": 0.0, "signed_max": 0.0}
        | {"follows": follows}
        for rank, (word, token, occurrences, follows) in enumerate(words, 1)
    ]


BEFORE = [
    ("9", 3, 2, True),
    ("red", 10, 1, True),
    ("8", 12, 2, True),
    ("blue", 13, 1, True),
    ("17", 15, 1, True),
    ("pens", 17, 2, False),
    ("green", 16, 1, False),
    ("cups", 7, 1, True),
    ("tom", 1, 1, False),
    ("now", 18, 1, False),
]
"""Words before `POSITION`; "so", "and" and "has" are stop words."""


def tables(names: list[str], **changes: str) -> dict[str, pl.DataFrame]:
    """What `traces_with_looks` reads: each trace has a backtrack at `POSITION`.

    Args:
        names: of the traces.
        changes: thoughts that differ, by trace.
    """
    return {
        "traces": TRACES.frame([trace_row(n, changes.get(n, THOUGHT)) for n in names]),
        "tokens": ATTRIBUTION_TOKENS.frame(
            [token_row(name, 1, "backtrack", POSITION) for name in names]
        ),
        "words": ATTRIBUTION_WORDS.frame(
            [row for name in names for row in word_rows(name, 1, "backtrack", BEFORE)]
        ),
        "prompts": ATTRIBUTION_PROMPTS.frame([prompt_row(name) for name in names]),
    }


def study_rows(
    shares: dict[tuple[str, int, str], tuple[float, float]],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Tables of looks with one important word that has a match of every kind.

    Args:
        shares: of important and matched word, by trace, event and kind.
    """
    looks, words, layers = [], [], []
    for (trace, event, kind), (important, matched) in shares.items():
        key = {"trace": trace, "problem": trace.split("/")[0]}
        key |= {"event": event, "kind": kind}
        looks.append(
            key
            | {"position": 20, "next_words": 9, "next_tokens": 9, "words": 1}
            | {"important": important, "matched": matched, "first_token": 0.5}
            | {"important_even": 0.01, "matched_even": 0.01}
        )
        words.append(
            dict.fromkeys(LOOK_BACK_WORDS.schema)
            | key
            | {"rank": 1, "word": "red", "token": 9, "tokens": 1, "distance": 11}
            | {"is_number": False, "follows": True, "share": important, "even": 0.01}
            | {f"{name}_partners": 1 for name in ("place", "class", "again")}
            | {f"{name}_share": matched for name in ("place", "class", "again")}
            | {"place_even": 0.01, "place_distance": 12.0}
            | {"place_follows": 0.0, "class_follows": 1.0}
        )
        layers += [
            key
            | {"layer": layer, "rest": [0.5, 0.5]}
            | {"important": [important, 0.0], "matched": [matched, 0.0]}
            for layer in (0, 1)
        ]
    return (
        LOOK_BACK.frame(looks),
        LOOK_BACK_WORDS.frame(words),
        LOOK_BACK_LAYERS.frame(layers),
    )
