"""Tables of attribution: scores, exact values, and their summaries."""

from dataclasses import replace

import polars as pl

from attribution.columns import (
    COMPONENT,
    DECISION,
    DECISION_KEY,
    KIND,
    LAYER,
    METRIC_UNIT,
    PUBLISHED,
    SUMMARY_KIND,
    mean_columns,
    score,
    token_scores,
)
from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

ATTRIBUTION = Table(
    "attribution",
    (
        *DECISION_KEY,
        *DECISION,
        Column(
            "component", TEXT, "`resid` (before the layer), `attn_out` or `mlp_out`"
        ),
        LAYER,
        score("position_score", "score of the position itself"),
        token_scores(
            "scores",
            "per token before the position: estimated change of the metric when the "
            "state is replaced by its mean; negative: the token supports turning back",
        ),
    ),
    sort=(
        "trace",
        "event",
    ),
    holds="estimated effect of every earlier token and layer on turning back",
)

ATTRIBUTION_TOKENS = Table(
    "attribution/tokens",
    (
        *DECISION_KEY,
        *DECISION,
        Column(
            "question_start",
            COUNT,
            "first token of the question; null: the prompt does not hold it",
            nullable=True,
            unit="token index",
        ),
        Column(
            "question_end",
            COUNT,
            "the token after the question's last one; null: as above",
            nullable=True,
            unit="token index",
        ),
        Column(
            "thought_start", COUNT, "first token of the thought", unit="token index"
        ),
        token_scores(
            "max_abs",
            "per token before the position: largest |score| of `resid` over layers, as "
            "published; a maximum over layers grows with their number and their noise",
        ),
        token_scores("mean_abs", "mean |score| over layers"),
        token_scores("signed_max", "the score whose size is `max_abs`, with its sign"),
        score("position_max_abs", "`max_abs` of the position itself"),
        score("position_mean_abs", "`mean_abs` of the position itself"),
    ),
    sort=("trace",),
    holds="the effect of each token over all layers",
)

ATTRIBUTION_PROMPTS = Table(
    "attribution/prompts",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("text", TEXT, "the prompt's text, markers included"),
        Column(
            "offsets",
            pl.List(pl.Int32),
            "per prompt token: where it starts in `text`",
            unit="character",
        ),
        Column(
            "start",
            COUNT,
            "where the question starts in `text`; null: the question was not found",
            nullable=True,
            unit="character",
        ),
        Column(
            "end",
            COUNT,
            "the character after the question's last one; null: as above",
            nullable=True,
            unit="character",
        ),
    ),
    sort=("trace",),
    holds="the prompts whose tokens are scored",
)

ATTRIBUTION_CELLS = Table(
    "attribution/cells",
    (
        *DECISION_KEY,
        Column("problem", TEXT, "id of the problem"),
        COMPONENT,
        LAYER,
        Column("token", COUNT, "a token of the seeded sample", unit="token index"),
        score(
            "gradient",
            "score with the gradient at the clean run; null: the study uses the other "
            "method, and this one was not run for this position",
            nullable=True,
        ),
        score(
            "integrated",
            "score with gradients averaged along the path; null: as above",
            nullable=True,
        ),
        score("exact", "change of the metric by exact mean-ablation"),
    ),
    sort=("trace",),
    holds="the estimate beside exact patching, on a sample of tokens and layers",
)

ATTRIBUTION_CHECKS = Table(
    "attribution/checks",
    (
        Column("method", TEXT, "`gradient` or `integrated`"),
        COMPONENT,
        Column(
            "layer",
            COUNT,
            "null: all layers together; `positions` then counts pairs of position and "
            "layer",
            nullable=True,
            unit="index",
        ),
        Column(
            "statistic",
            TEXT,
            "`pearson` or `spearman` (correlations), `sign` or `recall` (shares)",
        ),
        *mean_columns("see `statistic`"),
    ),
    holds="agreement of the estimate with exact patching",
)

ATTRIBUTION_LAYERS = Table(
    "attribution/layers",
    (
        SUMMARY_KIND,
        COMPONENT,
        LAYER,
        Column(
            "quantity",
            TEXT,
            "`earlier`: mean |score| of a token before the position; `position`: "
            "|score| of the position itself",
        ),
        *mean_columns(METRIC_UNIT),
    ),
    holds="mean effect by layer",
)

ATTRIBUTION_WORDS = Table(
    "attribution/words",
    (
        *DECISION_KEY,
        KIND,
        Column(
            "rank", COUNT, "1: the most important word of the context", unit="index"
        ),
        Column("word", TEXT, "in lower case; numbers in canonical form"),
        Column(
            "context_part",
            COUNT,
            "part with the most important occurrence; 0: question; 1 to 5: fifths of "
            "the thought",
            unit="index",
        ),
        Column("token", COUNT, "first token of that occurrence", unit="token index"),
        Column(
            "occurrences",
            COUNT,
            "how often the word occurs in the context",
            unit="occurrences",
        ),
        score("max_abs", "largest `max_abs` of the word's tokens"),
        score("mean_abs", "`mean_abs` of the same token"),
        score("signed_max", "`signed_max` of the same token"),
        Column("follows", FLAG, "occurs among the next words of the thought"),
    ),
    holds="the most important words",
)

ATTRIBUTION_CONTEXT_PARTS = Table(
    "attribution/context_parts",
    (
        SUMMARY_KIND,
        Column(
            "context_part",
            COUNT,
            "0: question; 1 to 5: fifths of the thought so far",
            unit="index",
        ),
        Column(
            "quantity",
            TEXT,
            "of `max_abs`: `token`: mean per token, the whole context's mean is 1; "
            "`peak`: largest token, the whole context's largest is 1; `share`: sum, "
            "the whole context's sum is 1",
        ),
        *mean_columns("see `quantity`"),
        PUBLISHED,
    ),
    holds="importance of the question and of each fifth of the thought",
)

ATTRIBUTION_OVERLAP = Table(
    "attribution/overlap",
    (
        SUMMARY_KIND,
        Column(
            "words",
            TEXT,
            "`important`: the top words; `matched`: other words of the same context "
            "and frequency class, at any place (look_back/overlap matches the place "
            "too); `difference`: `important` minus `matched`",
        ),
        *mean_columns("share"),
        replace(PUBLISHED, unit="share"),
    ),
    holds="share of the important words that occur again after the turn",
)

ATTRIBUTION_SLIPS = Table(
    "attribution/slips",
    (
        *DECISION_KEY,
        Column("problem", TEXT, "id of the problem"),
        Column("equation", TEXT, "the first false equation before the position"),
        Column("wrong", TEXT, "the number that the equation states"),
        Column("right", TEXT, "the number that it should state"),
        Column(
            "rank",
            COUNT,
            "rank of the wrong number among the context's words, from 1",
            unit="index",
        ),
        Column("words", COUNT, "different words of the context", unit="words"),
    ),
    holds="wrong numbers in the thought",
)

ATTRIBUTION_SLIP_RANKS = Table(
    "attribution/slip_ranks",
    (
        Column(
            "top_k", COUNT, "how many of the most important words count", unit="words"
        ),
        Column(
            "hits",
            COUNT,
            "positions whose wrong number is among these words",
            unit="positions",
        ),
        Column("positions", COUNT, "positions after a slip", unit="positions"),
        Column("problems", COUNT, "problems of these positions", unit="problems"),
        Column("share", REAL, "hits / positions", nullable=True, unit="share"),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
        Column(
            "chance",
            REAL,
            "expected share if the words were in a random order",
            nullable=True,
            unit="share",
        ),
    ),
    holds="how high wrong numbers rank",
)
