"""Tables of attention: heads at every turn, means by layer, a ranking of heads."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

HEADS = pl.List(pl.Float32)
"""One value per head of the layer."""
PARTS = tuple(f"part_{k}" for k in range(1, 6))
PARTITION = ("bos", "question", *PARTS, "current_sentence")
"""Bins that together hold every token up to the position exactly once."""
ARRIVAL = "arrival_sentence"
BINS = (*PARTITION, ARRIVAL)
"""All bins, see `attention.token_bins`."""
WHOLE = "all"
"""Value of the column `bin` where a measure describes the whole position."""
KINDS = ("backtrack", "control")

ATTENTION = Table(
    "attention",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "number of the event within the trace", unit="index"),
        Column("kind", TEXT, "`backtrack` or `control`"),
        Column(
            "position",
            COUNT,
            "the token that predicts the sentence's first token",
            unit="token index",
        ),
        Column("layer", COUNT, "0, 1, ...", unit="index"),
        Column(
            "tokens",
            pl.List(pl.Int32),
            "tokens of each bin that the layer sees; the bins are in the order of the "
            "following columns",
            unit="tokens",
        ),
        Column(
            "bos",
            HEADS,
            "attention to token 0",
            unit="share",
        ),
        Column(
            "question",
            HEADS,
            "attention to the rest of the prompt and the opening of the thought",
            unit="share",
        ),
        Column(
            "part_1",
            HEADS,
            "attention to the first fifth of the thought before the current sentence",
            unit="share",
        ),
        Column("part_2", HEADS, "attention to the second fifth", unit="share"),
        Column("part_3", HEADS, "attention to the third fifth", unit="share"),
        Column("part_4", HEADS, "attention to the fourth fifth", unit="share"),
        Column("part_5", HEADS, "attention to the last fifth", unit="share"),
        Column(
            "current_sentence",
            HEADS,
            "attention to the sentence that ends at the position. The shares of this "
            "bin, the seven bins before it and the sink add up to 1",
            unit="share",
        ),
        Column(
            "sink",
            HEADS,
            "attention to no token: the head's attention sink, a learned score that "
            "competes with those of the tokens (gpt-oss). Null where the model has "
            "no sinks",
            nullable=True,
            unit="share",
        ),
        Column(
            "arrival_sentence",
            HEADS,
            "attention to the sentence of the last arrival; its tokens also count in "
            "the other bins. Null where no arrival comes before",
            nullable=True,
            unit="share",
        ),
        Column(
            "arrival_is_current",
            FLAG,
            "the sentence of the last arrival is the current sentence. Null where no "
            "arrival comes before",
            nullable=True,
        ),
        Column(
            "dla_backtrack",
            HEADS,
            "direct logit attribution to the backtrack words: to the mean of their "
            "logits, weighted by the model's probabilities within the group at the "
            "position, minus the mean logit of the vocabulary",
            unit="logit",
        ),
        Column("dla_wrap_up", HEADS, "the same for the wrap-up words", unit="logit"),
        Column(
            "dla_vocabulary",
            HEADS,
            "direct logit attribution to the mean logit of the vocabulary. Added to "
            "one of the two columns before, it gives the raw attribution",
            unit="logit",
        ),
    ),
    sort=(
        "trace",
        "event",
        "layer",
    ),
    holds="attention of every head in bins, and its direct logit attribution to "
    "the turn words, at backtracks and controls. A row is a layer; each cell of a bin "
    "or of `dla_...` lists one value per head",
)

_INTERVAL = (
    Column(
        "mean",
        REAL,
        "mean over positions; of a difference: over matched pairs",
        unit="see `measure`",
    ),
    Column("low", REAL, LOW, nullable=True, unit="see `measure`"),
    Column("high", REAL, HIGH, nullable=True, unit="see `measure`"),
    Column(
        "n",
        COUNT,
        "number of positions; of a difference: number of matched pairs",
        unit="positions or pairs",
    ),
    Column("problems", COUNT, "problems of these positions", unit="problems"),
)

KIND = Column(
    "kind",
    TEXT,
    "`backtrack` and `control`: all selected ones; `matched`: the selected backtracks "
    "whose matched control is here too; `difference`: within these pairs, backtrack "
    "minus control",
)

ATTENTION_SUMMARY = Table(
    "attention/summary",
    (
        Column("layer", COUNT, "0, 1, ...", unit="index"),
        KIND,
        Column(
            "bin", TEXT, "a bin of the attention table, or `all`: the whole position"
        ),
        Column(
            "measure",
            TEXT,
            "`attention`: share of attention that goes to the bin, mean over heads; "
            "`uniform`: share of the visible tokens that the bin holds; `ratio`: "
            "`attention` divided by `uniform`; `is_current`: share of positions whose "
            "current sentence is the sentence of the last arrival; `depth`: tokens "
            "before the position",
        ),
        *_INTERVAL,
    ),
    holds="attention by layer",
)

ATTENTION_HEADS = Table(
    "attention/heads",
    (
        Column(
            "measure",
            TEXT,
            "what is ranked: `dla_backtrack`, `dla_wrap_up` (both logits), "
            "`dla_backtrack_raw` (`dla_backtrack` plus `dla_vocabulary`), "
            "`dla_difference` (`dla_backtrack` minus `dla_wrap_up`), "
            "`arrival_sentence` (share of attention), `arrival_ratio` (this share "
            "divided by the sentence's share of the visible tokens)",
        ),
        KIND,
        Column("rank", COUNT, "1: the head with the largest mean", unit="index"),
        Column("layer", COUNT, "0, 1, ...", unit="index"),
        Column("head", COUNT, "0, 1, ... within the layer", unit="index"),
        *_INTERVAL,
    ),
    holds="heads, ranked",
)
