"""Words that turn back or wrap up, as tokens, and the positions that predict them."""

from typing import Any

import polars as pl
import torch

from doubletake.running.errors import InputError
from doubletake.text.tokenizer import TraceTokenizer
from turns.tables import TURN_WORDS

BACKTRACK, WRAP_UP, CONTROL = "backtrack", "wrap_up", "control"
KINDS = (BACKTRACK, WRAP_UP, CONTROL)
GROUPS = (BACKTRACK, WRAP_UP)


def variants_of(word: str) -> list[str]:
    """How a word may be spelt: as given, lower case, capitalised, in capitals.

    Each with and without a space before it.
    """
    spellings = [word, word.lower(), word.capitalize(), word.upper()]
    return [
        f"{space}{text}" for text in dict.fromkeys(spellings) for space in ("", " ")
    ]


def turn_words(tokenizer: TraceTokenizer, words: dict[str, list[str]]) -> pl.DataFrame:
    """The words' variants that are a single token of the tokenizer.

    Args:
        tokenizer: of the study's model.
        words: by group.

    Returns:
        `schemas.turns.TURN_WORDS`.

    Raises:
        InputError: no variant of any word of a group is a single token, or two groups
            share a token; names the group.
    """
    tokens: dict[str, list[int]] = {}
    for token in range(len(tokenizer.tokenizer)):
        tokens.setdefault(tokenizer.text_of(token), []).append(token)
    rows: list[dict[str, Any]] = []
    for group, names in words.items():
        texts = {text: word for word in reversed(names) for text in variants_of(word)}
        found: list[dict[str, Any]] = [
            {"group": group, "word": word, "token": token, "text": text}
            for text, word in texts.items()
            for token in tokens.get(text, [])
        ]
        if not found:
            raise InputError(
                f"turns.words.{group}: no variant of {', '.join(names)} is a single "
                f"token of {tokenizer.name}"
            )
        rows += sorted(found, key=lambda row: (names.index(row["word"]), row["token"]))
    table = TURN_WORDS.frame(rows)
    twice = table.filter(pl.col("token").is_duplicated())
    if twice.height:
        raise InputError(f"turns.words: {twice['text'][0]!r} is in more than one group")
    return table


def target_ids(words: pl.DataFrame) -> dict[str, torch.Tensor]:
    """Token ids of each group, ascending.

    Args:
        words: `schemas.turns.TURN_WORDS`.
    """
    return {
        group: torch.tensor(words.filter(group=group)["token"].sort().to_list())
        for group in GROUPS
    }
