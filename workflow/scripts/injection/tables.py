"""Tables of injection: divergence by distance, attention to the token, tests."""

from dataclasses import replace

import polars as pl

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

ARRIVAL, PROMPT_END = "arrival", "prompt_end"
PLACES = (ARRIVAL, PROMPT_END)
ONCE, ALWAYS = "once", "always"
MODES = (ONCE, ALWAYS)
RANDOM, UNSTEERED = "random", "unsteered"
SUPPORTED, REFUTED = "supported", "refuted"
NO_PREMISE, OPEN, NOT_CHECKED = "no premise", "not told", "not checked"
VERDICTS = (SUPPORTED, REFUTED, NO_PREMISE, OPEN, NOT_CHECKED)


def attending_distances(distance: int) -> list[int]:
    """The tokens whose attention is read: 1, 2, 4, ... up to the largest distance."""
    return [2**k for k in range(distance.bit_length())]


def _or_null(column: Column) -> Column:
    """The same column, null for an unsteered run."""
    return replace(column, meaning=f"{column.meaning}; null: unsteered", nullable=True)


_PLACE = Column(
    "place",
    TEXT,
    "`arrival`: the last token of the sentence of an arrival; `prompt_end`: the last "
    "token of the prompt",
    values=PLACES,
)
_DIRECTION = Column("direction", TEXT, f"name of the direction, or `{RANDOM}`")
_ANY_DIRECTION = Column(
    "direction", TEXT, f"name of the direction, `{RANDOM}` or `{UNSTEERED}`"
)
_BOUNDARY = Column(
    "boundary", COUNT, "the layer whose input the vector is added to", unit="index"
)
_DEPTH = Column("depth", REAL, "the boundary as the config has it", unit="share")
_STRENGTH = Column(
    "strength",
    REAL,
    "length of the added vector",
    unit="mean norms of the residual stream",
)
_MODE = Column(
    "mode",
    TEXT,
    "`once`: added at the token; `always`: also at all tokens after it",
    values=MODES,
)
_FACTOR = Column(
    "factor",
    REAL,
    "what the odds of the attention of later tokens to the token are multiplied by, "
    "in the unsteered run too; 1: as the model attends",
    unit="times",
)
_CONTEXT = (
    Column("trace", TEXT, "id of the trace"),
    Column("problem", TEXT, "id of its problem"),
    _PLACE,
    Column("token", COUNT, "the token of the injection", unit="token index"),
)
_DRAW = Column(
    "draw", COUNT, "number of the random vector; else null", nullable=True, unit="index"
)
_SETTING = (_PLACE, _DIRECTION, _BOUNDARY, _DEPTH, _STRENGTH)
_CASES = (
    Column("n", COUNT, "number of contexts", unit="contexts"),
    Column("problems", COUNT, "their problems", unit="problems"),
)

INJECTION = Table(
    "injection",
    (
        *_CONTEXT,
        _DIRECTION,
        _DRAW,
        _BOUNDARY,
        _DEPTH,
        _STRENGTH,
        _MODE,
        _FACTOR,
        Column(
            "kl",
            pl.List(pl.Float64),
            "KL(unsteered || injected) of the next token's distribution, at distance "
            "0, 1, 2, ... from the token; both runs read the unsteered tokens",
            unit="nats",
        ),
    ),
    holds="how far the next token's distribution moves, by distance from the injected "
    "token",
)

INJECTION_ATTENTION = Table(
    "injection/attention",
    (
        *_CONTEXT,
        _ANY_DIRECTION,
        _DRAW,
        _or_null(_BOUNDARY),
        replace(_STRENGTH, meaning=f"{_STRENGTH.meaning}; 0: unsteered"),
        Column("layer", COUNT, "the layer that attends", unit="index"),
        Column(
            "attention",
            pl.List(pl.Float32),
            "attention to the token from the tokens 1, 2, 4, ... after it, mean over "
            "heads",
            unit="share",
        ),
    ),
    holds="how much later tokens attend to the token, with an injection (once) and "
    "without",
)

INJECTION_DECAY = Table(
    "injection/decay",
    (
        *_SETTING,
        _MODE,
        _FACTOR,
        Column("first", COUNT, "first distance of the bin", unit="tokens"),
        Column("last", COUNT, "last distance of the bin", unit="tokens"),
        *with_ends("kl", "mean divergence of a token of the bin", "nats"),
        *_CASES,
        Column("draws", COUNT, "random vectors; 0: a direction", unit="vectors"),
        Column(
            "band_low",
            REAL,
            "2.5% quantile of the means of the random vectors; null: a direction",
            nullable=True,
            unit="nats",
        ),
        Column(
            "band_high",
            REAL,
            "97.5% quantile; null: as the lower one",
            nullable=True,
            unit="nats",
        ),
    ),
    holds="the mean divergence by distance from the injected token",
)

INJECTION_SUMMARY = Table(
    "injection/summary",
    (
        *_SETTING,
        _MODE,
        _FACTOR,
        *with_ends("first", "mean divergence at distance 0", "nats"),
        *with_ends(
            "rest", "mean sum of the divergences at distances 1 and more", "nats"
        ),
        *with_ends(
            "share", "share of all divergence at distance 0", "share", nullable=True
        ),
        *with_ends(
            "half_life",
            "distance at which the mean divergence has fallen to half of that at "
            "distance 0, by a straight line of its logarithm between two distances; "
            "null: it does not fall so far",
            "tokens",
            nullable=True,
        ),
        *_CASES,
    ),
    holds="how much of the divergence falls on the first token",
)

INJECTION_ATTENDED = Table(
    "injection/attended",
    (
        *_SETTING,
        Column(
            "layer",
            COUNT,
            "the layer that attends; null: mean over the layers from the boundary on",
            nullable=True,
            unit="index",
        ),
        Column(
            "distance",
            COUNT,
            "of the token that attends; null: mean over the distances",
            nullable=True,
            unit="tokens",
        ),
        Column("injected", REAL, "mean attention with the injection", unit="share"),
        Column("unsteered", REAL, "the same without it", unit="share"),
        *with_ends("difference", "mean of injected - unsteered", "share"),
        *_CASES,
    ),
    holds="the attention to the injected token beside that to the same token unsteered",
)

INJECTION_TESTS = Table(
    "injection/tests",
    (
        *_SETTING,
        *with_ends(
            "share",
            "share of the divergence at distance 0; its interval is corrected for the "
            "number of tests (Bonferroni)",
            "share",
            nullable=True,
        ),
        _FACTOR,
        *with_ends(
            "boosted_share",
            "the same with the largest factor of attention",
            "share",
            nullable=True,
        ),
        *with_ends(
            "difference",
            "attention to the token, injected - unsteered; mean over layers from the "
            "boundary on and over distances; corrected interval",
            "share",
            nullable=True,
        ),
        Column(
            "random_p",
            REAL,
            "share of random vectors, with this one counted, whose divergence at "
            "distances 1 and more is at least as large, on the same contexts; null: "
            "no random vector",
            nullable=True,
            unit="probability",
        ),
        Column("draws", COUNT, "random vectors", unit="vectors"),
        *_CASES,
        Column("verdict", TEXT, "see docs/methods.md", values=VERDICTS),
    ),
    holds="the published presumption, tested for each direction and depth",
)


INJECTION_FREE_RUNS = Table(
    "injection/free_runs",
    (
        *(column for column in _CONTEXT if column is not _PLACE),
        _ANY_DIRECTION,
        *map(_or_null, (_BOUNDARY, _DEPTH, _STRENGTH, _MODE)),
        _DRAW,
        Column("tokens", COUNT, "tokens that were decoded", unit="tokens"),
        Column(
            "first_different",
            COUNT,
            "the first decoded token that is not that of the unsteered run, from 1; a "
            "run that ends earlier differs after its last token; null: none differs",
            nullable=True,
            unit="index",
        ),
        Column(
            "turned",
            FLAG,
            "the detector finds a backtrack that begins in the next sentence",
        ),
    ),
    holds="thoughts that go on freely after an injection, and without one",
)

INJECTION_FREE = Table(
    "injection/free",
    (
        _DIRECTION,
        _BOUNDARY,
        _DEPTH,
        _STRENGTH,
        _MODE,
        *with_ends("differ", "runs of which a token differs from unsteered", "share"),
        Column(
            "at",
            REAL,
            "median of the first different token, of the runs that differ; null: none",
            nullable=True,
            unit="index",
        ),
        *with_ends("turned", "runs that turn back in the next sentence", "share"),
        Column("unsteered", REAL, "the same without injection", unit="share"),
        *with_ends(
            "change",
            "mean of turned - unsteered; its interval is corrected for the settings",
            "share",
        ),
        Column("n", COUNT, "number of runs", unit="runs"),
        _CASES[1],
    ),
    holds="how many free runs differ from the unsteered ones, and how many turn back",
)
