"""Where the heads look before a turn, and what they write."""

import polars as pl

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

HEADS = pl.List(pl.Float32)
PARTS = tuple(f"part_{k}" for k in range(1, 6))
PARTITION = ("bos", "question", *PARTS, "own_sentence")
"""Bins that hold every token up to the position once."""
ARRIVAL = "arrival_sentence"
BINS = (*PARTITION, ARRIVAL)
"""All bins, see `attention.bins`."""
WHOLE = "all"
"""Stands for a bin where a figure is of the position as a whole."""
KINDS = ("backtrack", "control")
DIFFERENCE = "difference"

ATTENTION = Table(
    "attention",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "the event within the trace"),
        Column("kind", TEXT, "`backtrack` or `control`"),
        Column("position", COUNT, "token index that predicts the sentence's first"),
        Column("layer", COUNT, "0, 1, ..."),
        Column(
            "tokens",
            pl.List(pl.Int32),
            "tokens that the layer sees in each bin, in the order of the next columns",
        ),
        Column("bos", HEADS, "attention to token 0; this and the next: one per head"),
        Column(
            "question", HEADS, "to the rest of the prompt and the thought's opening"
        ),
        Column(
            "part_1", HEADS, "to the first fifth of the thought before the sentence"
        ),
        Column("part_2", HEADS, "to the second fifth"),
        Column("part_3", HEADS, "to the third fifth"),
        Column("part_4", HEADS, "to the fourth fifth"),
        Column("part_5", HEADS, "to the last fifth"),
        Column(
            "own_sentence",
            HEADS,
            "to the sentence that ends at the position; with the columns before it 1",
        ),
        Column(
            "arrival_sentence",
            HEADS,
            "to the sentence of the last arrival, counted in the bins before too; null "
            "without an arrival",
            nullable=True,
        ),
        Column(
            "arrival_is_own",
            FLAG,
            "that sentence ends at the position; null without an arrival",
            nullable=True,
        ),
        Column(
            "dla_backtrack",
            HEADS,
            "direct logit attribution to the mean of the backtrack words' logits",
        ),
        Column("dla_wrap_up", HEADS, "the same of the wrap-up words"),
    ),
    sort=(
        "trace",
        "event",
        "layer",
    ),
    holds="attention of every head in bins, and its direct logit attribution to "
    "the turn words, at backtracks and controls",
)

_INTERVAL = (
    Column("mean", REAL, "over positions; of a difference: over problems"),
    Column("low", REAL, "bootstrap over problems"),
    Column("high", REAL, "bootstrap over problems"),
    Column("n", COUNT, "positions; of a difference: problems with both kinds"),
    Column("problems", COUNT, "problems they are on"),
)

ATTENTION_SUMMARY = Table(
    "attention/summary",
    (
        Column("layer", COUNT, "0, 1, ..."),
        Column("kind", TEXT, "`backtrack`, `control` or `difference`"),
        Column("bin", TEXT, "a bin of the attention table; `all`: of the position"),
        Column(
            "measure",
            TEXT,
            "`attention`: share that goes to the bin, heads averaged; `uniform`: share "
            "of the visible tokens that it holds; `ratio`: the one over the other; "
            "`is_own`: share of positions whose own sentence is the last arrival's; "
            "`depth`: tokens before the position",
        ),
        *_INTERVAL,
    ),
    holds="attention by layer",
)

ATTENTION_HEADS = Table(
    "attention/heads",
    (
        Column(
            "figure",
            TEXT,
            "what is ranked: `dla_backtrack`, `dla_wrap_up` (logits), `dla_difference` "
            "(the first minus the second), `arrival_sentence` (share of attention), "
            "`arrival_ratio` (that over the sentence's share of the visible tokens)",
        ),
        Column("kind", TEXT, "`backtrack`, `control` or `difference`"),
        Column("rank", COUNT, "1: the largest mean"),
        Column("layer", COUNT, "0, 1, ..."),
        Column("head", COUNT, "0, 1, ... within the layer"),
        *_INTERVAL,
    ),
    holds="heads, ranked",
)
