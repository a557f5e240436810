"""What the words before a decision do to it, estimated by gradients and checked."""

import polars as pl

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

SCORES = pl.List(pl.Float32)
AT = (
    Column("trace", TEXT, "id of the trace"),
    Column("event", COUNT, "the event within the trace"),
)
OF = (
    Column("problem", TEXT, "id of the problem"),
    Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`"),
    Column(
        "position",
        COUNT,
        "token index that predicts the sentence's first token: the decision",
    ),
    Column("value", REAL, "the metric there, at the clean run"),
)
INTERVAL = (
    Column("value", REAL, "the figure", nullable=True),
    Column("low", REAL, "bootstrap over problems", nullable=True),
    Column("high", REAL, "bootstrap over problems", nullable=True),
    Column("events", COUNT, "decisions behind it"),
    Column("problems", COUNT, "problems they are on"),
)
PUBLISHED = Column(
    "published",
    REAL,
    "published figure; null where none, or another model or dataset",
    nullable=True,
)

ATTRIBUTION = Table(
    "attribution",
    (
        *AT,
        *OF,
        Column("part", TEXT, "`resid` (before the layer), `attn_out` or `mlp_out`"),
        Column("layer", COUNT, "0, 1, ..."),
        Column("own", REAL, "score of the deciding position itself"),
        Column(
            "scores",
            SCORES,
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
        *AT,
        *OF,
        Column("question_start", COUNT, "first token of the question", nullable=True),
        Column("question_end", COUNT, "the one after its last", nullable=True),
        Column("thought_start", COUNT, "first token of the thought"),
        Column(
            "max_abs",
            SCORES,
            "per token before the position: largest |score| of `resid` over layers, as "
            "published; a maximum over layers grows with their number and their noise",
        ),
        Column("mean_abs", SCORES, "mean |score| over layers"),
        Column("strongest", SCORES, "the score whose size is `max_abs`, with its sign"),
        Column("own_max_abs", REAL, "`max_abs` of the deciding position itself"),
        Column("own_mean_abs", REAL, "its `mean_abs`"),
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
            "per prompt token: the character of `text` at which it starts",
        ),
        Column(
            "start",
            COUNT,
            "character of `text` at which the question starts; null: not found",
            nullable=True,
        ),
        Column("end", COUNT, "the one after its last", nullable=True),
    ),
    sort=("trace",),
    holds="the prompts whose tokens are scored",
)

ATTRIBUTION_CELLS = Table(
    "attribution/cells",
    (
        *AT,
        Column("problem", TEXT, "id of the problem"),
        Column("part", TEXT, "`resid`, `attn_out` or `mlp_out`"),
        Column("layer", COUNT, "0, 1, ..."),
        Column("token", COUNT, "of the seeded sample"),
        Column(
            "gradient",
            REAL,
            "score with the gradient at the clean run; null: another method is used, "
            "and this one was not run here",
            nullable=True,
        ),
        Column(
            "integrated",
            REAL,
            "score with gradients averaged along the path; null: as above",
            nullable=True,
        ),
        Column("exact", REAL, "change of the metric by exact mean-ablation"),
    ),
    sort=("trace",),
    holds="the estimate beside exact patching, on a sample of tokens and layers",
)

ATTRIBUTION_CHECKS = Table(
    "attribution/checks",
    (
        Column("method", TEXT, "`gradient` or `integrated`"),
        Column("part", TEXT, "`resid`, `attn_out` or `mlp_out`"),
        Column("layer", COUNT, "null: all layers together", nullable=True),
        Column(
            "statistic",
            TEXT,
            "`pearson`, `spearman`, `sign` or `recall`, each a mean over decisions",
        ),
        *INTERVAL,
    ),
    holds="agreement of the estimate with exact patching",
)

ATTRIBUTION_LAYERS = Table(
    "attribution/layers",
    (
        Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`"),
        Column("part", TEXT, "`resid`, `attn_out` or `mlp_out`"),
        Column("layer", COUNT, "0, 1, ..."),
        Column(
            "quantity",
            TEXT,
            "`earlier`: mean |score| of a token before the position; `own`: |score| of "
            "the position itself",
        ),
        *INTERVAL,
    ),
    holds="mean effect by layer",
)

ATTRIBUTION_WORDS = Table(
    "attribution/words",
    (
        *AT,
        Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`"),
        Column("rank", COUNT, "1: the most important word of the context"),
        Column("word", TEXT, "in lower case; numbers in canonical form"),
        Column(
            "place", COUNT, "of the occurrence that counts: 0 question, 1 to 5 fifth"
        ),
        Column("token", COUNT, "its first token"),
        Column("occurrences", COUNT, "how often the word occurs in the context"),
        Column("max_abs", REAL, "largest `max_abs` of the word's tokens"),
        Column("mean_abs", REAL, "`mean_abs` of the same token"),
        Column("strongest", REAL, "`strongest` of the same token"),
        Column("follows", FLAG, "occurs among the next words of the thought"),
    ),
    holds="the most important words",
)

ATTRIBUTION_PLACES = Table(
    "attribution/places",
    (
        Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`"),
        Column("place", COUNT, "0: question; 1 to 5: fifths of the thought so far"),
        Column(
            "quantity",
            TEXT,
            "of `max_abs`: `token`: mean per token, the whole context's mean is 1; "
            "`peak`: largest token, the whole context's largest is 1; `share`: sum, "
            "the whole context's sum is 1",
        ),
        *INTERVAL,
        PUBLISHED,
    ),
    holds="importance by place in question and thought",
)

ATTRIBUTION_OVERLAP = Table(
    "attribution/overlap",
    (
        Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`"),
        Column(
            "words",
            TEXT,
            "`important`: the top words; `matched`: other words of the same context "
            "and frequency class; `difference`: of the two",
        ),
        *INTERVAL,
        PUBLISHED,
    ),
    holds="important words that follow after the turn",
)

ATTRIBUTION_SLIPS = Table(
    "attribution/slips",
    (
        *AT,
        Column("equation", TEXT, "the first false equation before the decision"),
        Column("wrong", TEXT, "the number it states"),
        Column("right", TEXT, "the number it should state"),
        Column("rank", COUNT, "of the wrong number among the context's words"),
        Column("words", COUNT, "words of the context"),
    ),
    holds="wrong numbers in the thought",
)

ATTRIBUTION_SLIP_RANKS = Table(
    "attribution/slip_ranks",
    (
        Column("top", COUNT, "the wrong number is among so many most important words"),
        Column("hits", COUNT, "decisions where it is"),
        Column("events", COUNT, "decisions after a slip"),
        Column("share", REAL, "hits / events", nullable=True),
        Column("low", REAL, "Wilson interval", nullable=True),
        Column("high", REAL, "Wilson interval", nullable=True),
        Column("chance", REAL, "expected share of a random order", nullable=True),
    ),
    holds="how high wrong numbers rank",
)
