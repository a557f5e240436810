"""Tables of looking back: attention to important words and to matched words."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

BACKTRACK, CONTROL = "backtrack", "control"
"""Kinds of positions."""
FREQUENCY, PLACE, CLASS, AGAIN = "frequency", "place", "class", "again"
ATTENTION_BASELINES = (PLACE, CLASS, AGAIN)
"""What matched words have in common with important ones; each asks for more."""
SAME_WORDS = "same_words"
"""Matches of `PLACE`, of those important words only that have a match of `AGAIN`."""
SUMMARY_BASELINES = (*ATTENTION_BASELINES, SAME_WORDS)
OVERLAP_BASELINES = (FREQUENCY, PLACE, CLASS)
IMPORTANT, MATCHED_WORDS, WORD_DIFFERENCE = "important", "matched", "difference"
QUANTITIES = (IMPORTANT, MATCHED_WORDS, WORD_DIFFERENCE)
SHARE = "share of attention"
KEY = (
    Column("trace", TEXT, "id of the trace"),
    Column("problem", TEXT, "id of its problem"),
    Column("event", COUNT, "number of the event within the trace", unit="index"),
    Column("kind", TEXT, "`backtrack` or `control`"),
)


def _share(name: str, meaning: str) -> Column:
    return Column(name, REAL, meaning, nullable=True, unit=SHARE)


def _heads(name: str, meaning: str) -> Column:
    return Column(name, pl.List(pl.Float32), meaning, unit=SHARE)


LOOK_BACK = Table(
    "look_back",
    (
        *KEY,
        Column(
            "position",
            COUNT,
            "the token that predicts the sentence's first token",
            unit="token index",
        ),
        Column("next_words", COUNT, "next words of the thought", unit="words"),
        Column(
            "next_tokens",
            COUNT,
            "tokens after the position up to the last of these words",
            unit="tokens",
        ),
        Column(
            "words",
            COUNT,
            "important words with a word that matches in place and frequency; the "
            "other important words are left out of the next four columns",
            unit="words",
        ),
        _share(
            "important",
            "attention of the next words to an important word, mean over the words, "
            "the next tokens, heads and layers, as a share of the attention that does "
            "not go to the first token; null: no word has a match, or no word follows",
        ),
        _share("matched", "the same for the words that match in place and frequency"),
        _share("important_even", "`important` if attention were spread evenly"),
        _share("matched_even", "`matched` if attention were spread evenly"),
        _share(
            "first_token",
            "attention of the next words that goes to the first token or to a learned "
            "sink, mean over the next tokens, heads and layers; null: no word follows",
        ),
    ),
    sort=("trace", "event"),
    holds="attention of the next words to the most important words before a turn, and "
    "to matched words",
)

LOOK_BACK_WORDS = Table(
    "look_back/words",
    (
        *KEY,
        Column("rank", COUNT, "1: the most important word", unit="index"),
        Column("word", TEXT, "in lower case; numbers in canonical form"),
        Column("token", COUNT, "first token of its occurrence", unit="token index"),
        Column("tokens", COUNT, "tokens of this occurrence", unit="tokens"),
        Column(
            "distance",
            COUNT,
            "from its first token to the position",
            unit="tokens",
        ),
        Column("is_number", FLAG, "the word is a number in digits"),
        Column("follows", FLAG, "the word occurs among the next words"),
        _share("share", "attention to this occurrence, as in `look_back`"),
        _share("even", "the same if attention were spread evenly"),
        Column(
            "place_partners",
            COUNT,
            "occurrences of unimportant words in the same part of the context, at a "
            "similar distance, with a similar frequency",
            unit="occurrences",
        ),
        Column(
            "class_partners",
            COUNT,
            "those that also are of the same class (number or word) and as many tokens",
            unit="occurrences",
        ),
        Column(
            "again_partners",
            COUNT,
            "those that also occur among the next words if the important word does, "
            "and do not if it does not",
            unit="occurrences",
        ),
        *(
            _share(f"{name}_share", f"mean attention to the `{name}_partners`")
            for name in ATTENTION_BASELINES
        ),
        _share("place_even", "`place_share` if attention were spread evenly"),
        Column(
            "place_distance",
            REAL,
            "mean distance of the `place_partners`",
            nullable=True,
            unit="tokens",
        ),
        *(
            Column(
                f"{name}_follows",
                REAL,
                f"share of the `{name}_partners` that occur again among the next words",
                nullable=True,
                unit="share",
            )
            for name in (PLACE, CLASS)
        ),
    ),
    sort=("trace", "event", "rank"),
    holds="each important word with its matches",
)

LOOK_BACK_LAYERS = Table(
    "look_back/layers",
    (
        *KEY,
        Column("layer", COUNT, "0, 1, ...", unit="index"),
        _heads(
            "important",
            "per head: attention to an important word with a match in place and "
            "frequency, as a share of all attention",
        ),
        _heads("matched", "per head: the same for its matches"),
        _heads("rest", "per head: attention that does not go to the first token"),
    ),
    sort=("trace", "event", "layer"),
    holds="attention to important and matched words, by layer and head",
)

_MEAN = (
    Column("low", REAL, LOW, nullable=True, unit="that of `mean`"),
    Column("high", REAL, HIGH, nullable=True, unit="that of `mean`"),
    Column("positions", COUNT, "positions or pairs", unit="positions"),
    Column("problems", COUNT, "problems of these positions", unit="problems"),
)
_KIND = Column(
    "kind",
    TEXT,
    "`backtrack`, `control`: all selected ones; `matched`: the selected backtracks "
    "whose matched control is here too; `difference`: within these pairs, backtrack "
    "minus control",
)
_QUANTITY = Column(
    "quantity",
    TEXT,
    "`important`: important words with a match; `matched`: their matches; "
    "`difference`: `important` minus `matched`",
    values=QUANTITIES,
)
_P = Column(
    "p",
    REAL,
    "two-sided p-value of a `difference` of 0 over all layers; only of the kinds "
    "`backtrack` and `difference`, corrected for all tests of the table (Holm); null: "
    "not tested, or no interval",
    nullable=True,
)

LOOK_BACK_SUMMARY = Table(
    "look_back/summary",
    (
        _KIND,
        Column(
            "baseline",
            TEXT,
            "what the words share: `place` (part of the context, distance, frequency), "
            "`class` (also number or word, and length in tokens), `again` (also "
            "whether the word occurs again), `same_words` (as `place`, but only of the "
            "important words with a match of `again`)",
            values=SUMMARY_BASELINES,
        ),
        Column("layer", COUNT, "null: all layers", nullable=True, unit="index"),
        _QUANTITY,
        Column("mean", REAL, "mean over positions", nullable=True, unit=SHARE),
        *_MEAN,
        Column(
            "even",
            REAL,
            "the mean if attention were spread evenly; null: not computed",
            nullable=True,
            unit=SHARE,
        ),
        _P,
    ),
    holds="means of the attention to important and matched words",
)

LOOK_BACK_HEADS = Table(
    "look_back/heads",
    (
        Column("rank", COUNT, "1: the head with the largest mean", unit="index"),
        Column("layer", COUNT, "0, 1, ...", unit="index"),
        Column("head", COUNT, "0, 1, ... within the layer", unit="index"),
        Column("important", REAL, "mean over backtracks", unit="share of attention"),
        Column("matched", REAL, "mean over backtracks", unit="share of attention"),
        Column("mean", REAL, "`important` minus `matched`", unit="share of attention"),
        *_MEAN,
        Column(
            "p",
            REAL,
            "two-sided p-value of a difference of 0, corrected for all heads (Holm); "
            "null: no interval",
            nullable=True,
        ),
    ),
    holds="heads by how much more they look at important than at matched words",
)

LOOK_BACK_OVERLAP = Table(
    "look_back/overlap",
    (
        _KIND,
        Column(
            "baseline",
            TEXT,
            "what the words share: `frequency` (as in attribution/overlap), `place` "
            "(also part of the context and distance), `class` (also number or word, "
            "and length in tokens)",
            values=OVERLAP_BASELINES,
        ),
        _QUANTITY,
        Column(
            "mean",
            REAL,
            "share of the words that occur among the next words, mean over positions",
            nullable=True,
            unit="share",
        ),
        *_MEAN,
        _P,
        Column(
            "published",
            REAL,
            "published share; null: none, or of another model, dataset or quantity",
            nullable=True,
            unit="share",
        ),
    ),
    holds="share of important words that occur again, against matched words",
)
