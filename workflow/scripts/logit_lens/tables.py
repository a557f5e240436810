"""Tables of the logit lens: logits by layer, their means, the most likely tokens."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

_KIND = Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`")
_KIND_OF_MEAN = Column(
    "kind",
    TEXT,
    "`backtrack` (all selected ones), `wrap_up`, `control`, `matched` (the selected "
    "backtracks that have their matched control here) or `difference` (mean over these "
    "pairs: backtrack minus control)",
)
_BOUNDARY = Column(
    "boundary", COUNT, "boundary of the residual stream, 0 to n_layers", unit="index"
)
_POSITIONS = Column(
    "positions",
    COUNT,
    "positions of the kind; `difference`: pairs",
    unit="positions",
)
_PROBLEMS = Column(
    "problems",
    COUNT,
    "problems of these positions; pairs are counted by the side (backtracks or "
    "controls) that has fewer problems",
    unit="problems",
)

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
            "of `resid`: mean logit of the backtrack tokens, weighted by the model's "
            "final probabilities within the group at the position, minus the mean "
            "logit of the vocabulary; of the parts: what the part adds to it",
            unit="logit",
        ),
        Column("wrap_up", REAL, "the same for the wrap-up tokens", unit="logit"),
        Column(
            "vocabulary",
            REAL,
            "of `resid`: mean logit of the vocabulary; of the parts: what the part "
            "adds to it. Added to one of the two columns before, it gives the raw "
            "logit",
            unit="logit",
        ),
        Column(
            "backtrack_equal",
            REAL,
            "as `backtrack`, with equal weights of all backtrack tokens",
            unit="logit",
        ),
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

_LOGIT = Column(
    "logit",
    TEXT,
    "`centred`: the mean logit of the vocabulary is subtracted; `raw`: it is not",
)
_RANDOM = (
    Column(
        "random",
        REAL,
        "the same mean for random groups of as many tokens, weighted alike; null: not "
        "drawn (wrap-up words, raw logits, equal weights, kinds `matched` and "
        "`difference`)",
        nullable=True,
        unit="logit",
    ),
    Column(
        "random_low",
        REAL,
        "lower end of the range of the random groups, with the coverage of the "
        "intervals",
        nullable=True,
        unit="logit",
    ),
    Column("random_high", REAL, "its upper end", nullable=True, unit="logit"),
)

LOGIT_LENS_RANDOM = Table(
    "logit_lens/random_groups",
    (
        _KIND,
        Column("component", TEXT, "as in `logit_lens`"),
        Column("layer", COUNT, "as in `logit_lens`", unit="index"),
        Column("draw", COUNT, "number of the group", unit="index"),
        Column(
            "mean",
            REAL,
            "over positions: what the column `backtrack` of `logit_lens` would be for "
            "the tokens of this group",
            unit="logit",
        ),
    ),
    holds="the same means for random groups of tokens, as many as backtrack tokens",
)

LOGIT_LENS_SUMMARY = Table(
    "logit_lens/summary",
    (
        _KIND_OF_MEAN,
        Column("component", TEXT, "as in `logit_lens`"),
        Column("layer", COUNT, "as in `logit_lens`", unit="index"),
        Column("group", TEXT, "group of the tokens: `backtrack` or `wrap_up`"),
        _LOGIT,
        _POSITIONS,
        _PROBLEMS,
        Column(
            "mean",
            REAL,
            "over positions, of the column `backtrack` or `wrap_up` of `logit_lens`; "
            "raw: plus the column `vocabulary`",
            unit="logit",
        ),
        Column("low", REAL, LOW, nullable=True, unit="logit"),
        Column("high", REAL, HIGH, nullable=True, unit="logit"),
        *_RANDOM,
    ),
    holds="means by layer",
)

LOGIT_LENS_PARTS = Table(
    "logit_lens/parts",
    (
        _KIND_OF_MEAN,
        Column(
            "part",
            TEXT,
            "`embed`, `attn_out` or `mlp_out`: all layers together; `difference`: "
            "`attn_out` minus `mlp_out`",
        ),
        Column(
            "logit",
            TEXT,
            "`centred` and `raw` as in `logit_lens/summary`; `equal` and `equal_raw`: "
            "the same with equal weights of all backtrack tokens",
        ),
        _POSITIONS,
        _PROBLEMS,
        Column(
            "mean",
            REAL,
            "over positions: what the part adds to the logit of the backtrack words",
            unit="logit",
        ),
        Column("low", REAL, LOW, nullable=True, unit="logit"),
        Column("high", REAL, HIGH, nullable=True, unit="logit"),
        *_RANDOM,
    ),
    holds="what embedding, attention and MLPs add to the backtrack words",
)

LOGIT_LENS_LEADING = Table(
    "logit_lens/leading",
    (
        _KIND_OF_MEAN,
        _BOUNDARY,
        _POSITIONS,
        _PROBLEMS,
        Column(
            "share_leading",
            REAL,
            "positions at which a backtrack word is the most likely token here; at the "
            "last boundary: in the model's prediction; `difference`: share at the "
            "backtracks minus share at their controls, \u22121 to 1",
            unit="share",
        ),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
        Column(
            "leading_to_the_end",
            COUNT,
            "positions at which a backtrack word is the most likely token here and at "
            "every later boundary, but not at the boundary before; `difference`: null, "
            "because it counts positions and not pairs",
            nullable=True,
            unit="positions",
        ),
    ),
    holds="the boundary from which a backtrack word is the most likely token to the "
    "end",
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
