"""What the residual stream and its parts say at the turns, layer by layer."""

import polars as pl

from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

LOGIT_LENS = Table(
    "logit_lens",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "the event within the trace"),
        Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`"),
        Column(
            "component",
            TEXT,
            "`resid` (logit lens), or a part of the final residual (direct logit "
            "attribution): `embed`, `attn_out`, `mlp_out`",
        ),
        Column("layer", COUNT, "`resid`: boundary, 0 to n_layers; else: the layer"),
        Column("backtrack", REAL, "mean logit of the backtrack tokens, or its share"),
        Column("wrap_up", REAL, "mean logit of the wrap-up tokens, or its share"),
        Column(
            "backtrack_logprob",
            REAL,
            "`resid`: log-prob of any backtrack token (nats)",
            nullable=True,
        ),
        Column(
            "top",
            pl.List(pl.Int32),
            "`resid`: most likely tokens, the first first",
            nullable=True,
        ),
    ),
    holds="logits of the turn words in the residual stream at every layer, and "
    "what embedding, attention and MLPs add to them",
)

VOCABULARY = Table(
    "logit_lens/vocabulary",
    (
        Column("token", COUNT, "id of a token that `logit_lens` names"),
        Column("text", TEXT, "the token"),
    ),
    holds="texts of the tokens that `logit_lens` names",
)

LOGIT_LENS_SUMMARY = Table(
    "logit_lens/summary",
    (
        Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`"),
        Column("component", TEXT, "as in `logit_lens`"),
        Column("layer", COUNT, "as in `logit_lens`"),
        Column("group", TEXT, "whose tokens: `backtrack` or `wrap_up`"),
        Column("positions", COUNT, "positions"),
        Column("problems", COUNT, "problems they are on"),
        Column("mean", REAL, "mean logit of the group's tokens, or its share"),
        Column("low", REAL, "bootstrap over problems"),
        Column("high", REAL, "bootstrap over problems"),
    ),
    holds="means by layer",
)

LOGIT_LENS_FIRST = Table(
    "logit_lens/first",
    (
        Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`"),
        Column("layer", COUNT, "boundary of the residual stream, 0 to n_layers"),
        Column("positions", COUNT, "positions of the kind"),
        Column("problems", COUNT, "problems they are on"),
        Column("first", COUNT, "positions where a backtrack word is first top-1 here"),
        Column("top", REAL, "share of positions with a backtrack word as top-1 here"),
        Column("low", REAL, "bootstrap over problems"),
        Column("high", REAL, "bootstrap over problems"),
    ),
    holds="the boundary at which a backtrack word first leads",
)

LOGIT_LENS_WORDS = Table(
    "logit_lens/words",
    (
        Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`"),
        Column("layer", COUNT, "boundary of the residual stream, 0 to n_layers"),
        Column("token", COUNT, "id"),
        Column("text", TEXT, "the token"),
        Column("positions", COUNT, "positions of the kind"),
        Column("first", COUNT, "positions at which it is the most likely token"),
        Column("among_top", COUNT, "positions at which it is among the tokens kept"),
    ),
    holds="the most likely tokens",
)
