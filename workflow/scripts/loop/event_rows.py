"""Joins what every method says of the same backtracks: the table `LOOP`."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from exact_attribution.tables import EXACT_WORDS
from loop.answers import answers_around
from loop.tables import LOOP, LOOP_EFFECTS
from pocket.reading import NONE, TURN

EVENT = ("trace", "event")
TOP_WORDS = 10
"""Number of words of `LOOP.concentration`."""
CONTRAST = "backtrack_control"
DLA = "dla_backtrack"

Tables = Mapping[str, pl.DataFrame]
"""Tables of the study by name, as in `summarise.py`."""


def loop_table(
    turns: pl.DataFrame, tables: Tables, lens_layer: float, leading_heads: int
) -> pl.DataFrame:
    """`LOOP`: a row per selected backtrack, in the order of `turns`.

    Args:
        turns: selected backtracks of `TURNS`.
        tables: of all methods.
        lens_layer: boundary of the logit lens, as a share of the layers.
        leading_heads: number of heads whose writing is added up.
    """
    rows = turns.select("trace", "problem", "event", "position")
    effects = tables["effects"].select(
        *EVENT, *(name for name in LOOP_EFFECTS.schema if name not in rows.columns)
    )
    for part in (
        effects,
        lens_at(tables["logit_lens"], lens_layer),
        heads_write(tables["attention"], tables["attention_heads"], leading_heads),
        arrival_attention(tables["attention"]),
        probe_scores(tables["probing_scores"], tables["probing"]),
        tables["resampling"]
        .drop_nulls("event")
        .select(*EVENT, "rate", "turns", "draws"),
        top_words(tables["tokens"], tables["words"]),
        exact_words(tables["exact_words"]),
        tables["look_back"].select(
            *EVENT, look_back=pl.col("important") - pl.col("matched")
        ),
        answers_around(rows, tables["events"], tables["early_exit"], tables["traces"]),
        planted(rows, tables["events"], tables["truth"], tables["twins"]),
    ):
        rows = rows.join(part, on=EVENT, how="left", maintain_order="left")
    return LOOP.check(rows.select(list(LOOP.schema)))


def lens_at(lens: pl.DataFrame, depth: float) -> pl.DataFrame:
    """Column `lens`: log-odds of the backtrack words at a boundary.

    Args:
        lens: `LOGIT_LENS`.
        depth: of the boundary, as a share of the layers.
    """
    resid = lens.filter(component="resid", kind="backtrack")
    last = resid["layer"].max()
    boundary = round(depth * last) if isinstance(last, int) else 0
    logprob = pl.col("backtrack_logprob")
    # Of a probability that rounds to 1, the log-odds are those of the nearest below 1.
    others = (1 - logprob.exp()).clip(lower_bound=np.finfo(float).eps).log()
    return resid.filter(layer=boundary).select(*EVENT, lens=logprob - others)


def heads_write(
    attention: pl.DataFrame, heads: pl.DataFrame, count: int
) -> pl.DataFrame:
    """Column `heads_write`: direct logit attribution of the first heads, summed.

    Args:
        attention: `ATTENTION`.
        heads: `ATTENTION_HEADS`; its ranking of all backtracks is read.
        count: number of heads.
    """
    first = heads.filter(measure=DLA, kind="backtrack").filter(pl.col("rank") <= count)
    values = attention.filter(kind="backtrack").select(*EVENT, "layer", DLA)
    return (
        values.join(first.select("layer", "head", "rank"), on="layer")
        .with_columns(written=pl.col(DLA).list.get(pl.col("head")).cast(pl.Float64))
        .sort(*EVENT, "rank")
        .group_by(EVENT, maintain_order=True)
        .agg(heads_write=pl.col("written").sum())
    )


def arrival_attention(attention: pl.DataFrame) -> pl.DataFrame:
    """Column `arrival_attention`, from `ATTENTION`; null without an arrival before."""
    return (
        attention.filter(kind="backtrack")
        .sort(*EVENT, "layer")
        .group_by(EVENT, maintain_order=True)
        .agg(
            arrival_attention=pl.col("arrival_sentence")
            .cast(pl.List(pl.Float64))
            .list.mean()
            .mean()
        )
    )


def probe_scores(scores: pl.DataFrame, probing: pl.DataFrame) -> pl.DataFrame:
    """Column `probe`: at the boundary where the probe is most selective.

    Args:
        scores: `PROBING_SCORES`; each is of a probe that has not seen the problem.
        probing: `PROBING`.
    """
    best = (
        probing.filter(contrast=CONTRAST)
        .sort("selectivity", descending=True, nulls_last=True, maintain_order=True)
        .head(1)["boundary"]
        .to_list()
    )
    own = scores.filter(
        pl.col("boundary").is_in(best),
        contrast=CONTRAST,
        features="resid",
        shuffle=0,
        label=True,
    )
    return own.select(*EVENT, probe="score").unique(EVENT, maintain_order=True)


def top_words(tokens: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """The most important word, and how the scores are spread.

    Args:
        tokens: `ATTRIBUTION_TOKENS`.
        words: `ATTRIBUTION_WORDS`.
    """
    rows = tokens.filter(kind="backtrack")
    spread = [
        _spread(row["max_abs"], row["question_start"], row["question_end"])
        for row in rows.iter_rows(named=True)
    ]
    schema = {"total": pl.Float64, "question_share": pl.Float64}
    sums = rows.select(EVENT).hstack(pl.DataFrame(spread, schema, orient="row"))
    own = words.filter(kind="backtrack").sort(*EVENT, "rank")
    first = own.filter(rank=1).select(
        *EVENT,
        top_word="word",
        top_score="max_abs",
        top_in=pl.when(context_part=0)
        .then(pl.lit("question"))
        .otherwise(pl.lit("thought")),
    )
    ten = (
        own.filter(pl.col("rank") <= TOP_WORDS)
        .group_by(EVENT, maintain_order=True)
        .agg(ten=pl.col("max_abs").sum())
    )
    joined = sums.join(ten, on=EVENT, how="left").join(first, on=EVENT, how="left")
    share = pl.when(pl.col("total") > 0).then(pl.col("ten") / pl.col("total"))
    return joined.with_columns(concentration=share).drop("ten", "total")


def _spread(
    scores: Sequence[float], start: int | None, end: int | None
) -> tuple[float, float | None]:
    """Sum of the scores, and the question's share; None without a question."""
    values = np.asarray(scores, dtype=float)
    total = float(values.sum())
    if start is None or not total:
        return total, None
    return total, float(values[start:end].sum() / total)


def exact_words(words: pl.DataFrame) -> pl.DataFrame:
    """The word with the largest exact effect, from `EXACT_WORDS`."""
    EXACT_WORDS.check(words)
    first = words.filter(exact_rank=1).select(
        *EVENT, exact_word="word", exact_support=-pl.col("exact")
    )
    guess = words.filter(estimate_rank=1).select(*EVENT, estimated="word")
    return (
        first.unique(EVENT, maintain_order=True)
        .join(guess.unique(EVENT, maintain_order=True), on=EVENT, how="left")
        .with_columns(exact_agrees=pl.col("exact_word") == pl.col("estimated"))
        .drop("estimated")
    )


def planted(
    rows: pl.DataFrame, events: pl.DataFrame, truth: pl.DataFrame, twins: pl.DataFrame
) -> pl.DataFrame:
    """The planted cause of each event, its probability and the effect by twins.

    Args:
        rows: the events.
        events: `EVENTS`, where their sentences begin.
        truth: `TRUTH`.
        twins: `TWINS`.
    """
    starts = events.select(*EVENT, "start")
    turn = truth.filter(choice=TURN).select(
        *("trace", "start", "boundary", "cause"), planted="probability"
    )
    effects = twins.filter(pl.col("refused").is_null()).select(
        *("trace", "boundary"),
        twin_effect=pl.col("turn_with") - pl.col("turn_without"),
    )
    return (
        rows.select(EVENT)
        .join(starts, on=EVENT, how="left", maintain_order="left")
        .join(turn, on=("trace", "start"), how="left", maintain_order="left")
        .join(effects, on=("trace", "boundary"), how="left", maintain_order="left")
        .with_columns(has_cause=pl.col("cause") != NONE)
        .drop("start", "boundary")
    )
