"""Tables of the logit lens: logits by layer, their means, the most likely tokens."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

_KIND = Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`")
_BOUNDARY = Column(
    "boundary", COUNT, "boundary of the residual stream, 0 to n_layers", unit="index"
)
_POSITIONS = Column("positions", COUNT, "positions of the kind", unit="positions")
_PROBLEMS = Column("problems", COUNT, "problems of these positions", unit="problems")

LOGIT_LENS = Table(
    "logit_lens",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "number of the event within the trace", unit="index"),
        _KIND,
        Column(
            "component",
            TEXT,
            "`resid` (logit lens), or a part of the final residual (direct logit "
            "attribution): `embed`, `attn_out`, `mlp_out`",
        ),
        Column(
            "layer",
            COUNT,
            "of `resid`: the boundary, 0 to n_layers; of the parts: the layer",
            unit="index",
        ),
        Column(
            "backtrack",
            REAL,
            "of `resid`: mean logit of the backtrack tokens; of the parts: what the "
            "part adds to this mean",
            unit="logit",
        ),
        Column("wrap_up", REAL, "the same for the wrap-up tokens", unit="logit"),
        Column(
            "backtrack_logprob",
            REAL,
            "of `resid`: log-prob that the token is any backtrack token; of the parts: "
            "null",
            nullable=True,
            unit="nats",
        ),
        Column(
            "top_ids",
            pl.List(pl.Int32),
            "of `resid`: the most likely tokens that are not white space, in "
            "descending order; else null",
            nullable=True,
            unit="token id",
        ),
    ),
    holds="logits of the turn words in the residual stream at every layer, and "
    "what embedding, attention and MLPs add to them",
)

VOCABULARY = Table(
    "logit_lens/vocabulary",
    (
        Column(
            "token_id", COUNT, "a token in `top_ids` of `logit_lens`", unit="token id"
        ),
        Column("text", TEXT, "its text"),
    ),
    holds="texts of the tokens in `logit_lens`",
)

LOGIT_LENS_SUMMARY = Table(
    "logit_lens/summary",
    (
        _KIND,
        Column("component", TEXT, "as in `logit_lens`"),
        Column("layer", COUNT, "as in `logit_lens`", unit="index"),
        Column("group", TEXT, "group of the tokens: `backtrack` or `wrap_up`"),
        _POSITIONS,
        _PROBLEMS,
        Column(
            "mean",
            REAL,
            "over positions, of the column `backtrack` or `wrap_up` of `logit_lens`",
            unit="logit",
        ),
        Column("low", REAL, LOW, nullable=True, unit="logit"),
        Column("high", REAL, HIGH, nullable=True, unit="logit"),
    ),
    holds="means by layer",
)

LOGIT_LENS_FIRST = Table(
    "logit_lens/first",
    (
        _KIND,
        _BOUNDARY,
        _POSITIONS,
        _PROBLEMS,
        Column(
            "first_leading",
            COUNT,
            "positions at which a backtrack word is the most likely token here, and at "
            "no earlier boundary",
            unit="positions",
        ),
        Column(
            "share_leading",
            REAL,
            "positions at which a backtrack word is the most likely token here",
            unit="share",
        ),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
    ),
    holds="the boundary at which a backtrack word first becomes the most likely token",
)

LOGIT_LENS_WORDS = Table(
    "logit_lens/words",
    (
        _KIND,
        _BOUNDARY,
        Column("token_id", COUNT, "the token", unit="token id"),
        Column("text", TEXT, "its text"),
        _POSITIONS,
        Column(
            "leading",
            COUNT,
            "positions at which it is the most likely token",
            unit="positions",
        ),
        Column(
            "among_top",
            COUNT,
            "positions at which it is among the most likely tokens that `logit_lens` "
            "keeps",
            unit="positions",
        ),
    ),
    holds="the most likely tokens",
)
