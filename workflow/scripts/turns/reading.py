"""For later stages: the kinds of turns, turn words and white space as token ids."""

from collections import Counter
from typing import Any

import polars as pl
import torch

from doubletake.running.errors import InputError
from doubletake.stats.draws import ranked_by_digest
from doubletake.text.tokenizer import TraceTokenizer
from turns.tables import TURN_WORDS

BACKTRACK, WRAP_UP, CONTROL = "backtrack", "wrap_up", "control"
KINDS = (BACKTRACK, WRAP_UP, CONTROL)
"""Kinds of events that are turns."""
GROUPS = (BACKTRACK, WRAP_UP)
"""Groups of turn words."""


def variants_of(word: str) -> list[str]:
    """Spellings of a word, each without and with a space before it.

    The spellings are: as given, in lower case, capitalised, in capitals.
    """
    spellings = [word, word.lower(), word.capitalize(), word.upper()]
    return [
        f"{space}{text}" for text in dict.fromkeys(spellings) for space in ("", " ")
    ]


def turn_words(tokenizer: TraceTokenizer, words: dict[str, list[str]]) -> pl.DataFrame:
    """The variants of the words that are a single token of the tokenizer.

    Args:
        tokenizer: of the study's model.
        words: by group.

    Returns:
        `turns.tables.TURN_WORDS`.

    Raises:
        InputError: a group has no variant that is a single token, or two groups share
            a token. The message names the group or the token.
    """
    ids_by_text: dict[str, list[int]] = {}
    for token_id in range(len(tokenizer.tokenizer)):
        ids_by_text.setdefault(tokenizer.text_of(token_id), []).append(token_id)
    rows: list[dict[str, Any]] = []
    for group, names in words.items():
        # ASSUME: a word's single-token variants stand for the word.
        texts = {text: word for word in reversed(names) for text in variants_of(word)}
        variants: list[dict[str, Any]] = [
            {"group": group, "word": word, "token_id": token_id, "text": text}
            for text, word in texts.items()
            for token_id in ids_by_text.get(text, [])
        ]
        if not variants:
            raise InputError(
                f"turns.words.{group}: no variant of {', '.join(names)} is a single "
                f"token of {tokenizer.name}"
            )
        rows += sorted(
            variants, key=lambda row: (names.index(row["word"]), row["token_id"])
        )
    table = TURN_WORDS.frame(rows)
    shared = table.filter(pl.col("token_id").is_duplicated())
    if shared.height:
        raise InputError(
            f"turns.words: {shared['text'][0]!r} is in more than one group"
        )
    return table


def white_space_ids(tokenizer: TraceTokenizer) -> torch.Tensor:
    """Ids of the tokens that hold white space only, in ascending order."""
    # ASSUME: white space before a word does not say whether the sentence turns back.
    texts = map(tokenizer.text_of, range(len(tokenizer.tokenizer)))
    return torch.tensor([i for i, text in enumerate(texts) if text.isspace()]).long()


def target_ids(words: pl.DataFrame) -> dict[str, torch.Tensor]:
    """Token ids of each group, in ascending order.

    Args:
        words: `turns.tables.TURN_WORDS`.
    """
    return {
        group: torch.tensor(words.filter(group=group)["token_id"].sort().to_list())
        for group in GROUPS
    }


def drawn_backtracks(turns: pl.DataFrame, count: int | None, seed: int) -> pl.DataFrame:
    """Selected backtracks in seeded order: one of each problem before a second of any.

    Experiments that look at some backtracks only draw them here. So those with one seed
    look at the same events, and a larger count adds events to those of a smaller one.

    Args:
        turns: `turns.tables.TURNS`.
        count: how many; None: all.
        seed: of the draw.

    Returns:
        Rows of `turns`, in the order of the draw.
    """
    chosen = turns.filter(pl.col("selected") & (pl.col("kind") == BACKTRACK))
    names = chosen.select("trace", "event").iter_rows()
    place = {name: k for k, name in enumerate(ranked_by_digest(names, seed))}
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, dict[str, Any]]] = []
    rows = chosen.iter_rows(named=True)
    for row in sorted(rows, key=lambda one: place[one["trace"], one["event"]]):
        ranked.append((seen[row["problem"]], len(ranked), row))
        seen[row["problem"]] += 1
    kept = [row for _, _, row in sorted(ranked, key=lambda one: one[:2])[:count]]
    return pl.DataFrame(kept, schema=turns.schema)
