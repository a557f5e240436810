"""The answer that the model would give before a turn, and after it."""

import polars as pl

EVENT = ("trace", "event")


def answers_around(
    rows: pl.DataFrame,
    events: pl.DataFrame,
    exits: pl.DataFrame,
    traces: pl.DataFrame,
) -> pl.DataFrame:
    """The answers around each event, and whether the turn mends or spoils.

    Before: forced after the last arrival that begins before the event. After: forced
    after the next arrival inside the thought; where none follows, the thought's own
    answer.

    Args:
        rows: the events.
        events: `EVENTS`.
        exits: `EARLY_EXIT`.
        traces: `TRACES`.

    Returns:
        The columns of `LOOP` from `answer_before` on; null where no arrival comes
        before, or where its exit was not measured.
    """
    place = exits_around(rows, events, traces)
    columns = ("answer", "correct", "whole_logprob")
    for side in ("before", "after"):
        answers = exits.select(
            "trace",
            pl.col("exit").alias(side),
            *(pl.col(name).alias(f"{name}_{side}") for name in columns),
        )
        on = ["trace", side]
        place = place.join(answers, on=on, how="left", maintain_order="left")
    own = traces.select("trace", own="answer", own_correct="correct")
    place = place.join(own, on="trace", how="left", maintain_order="left")
    at_end = pl.col("after").is_null() & pl.col("before").is_not_null()
    return place.with_columns(
        answer_after=pl.when(at_end).then("own").otherwise("answer_after"),
        correct_after=pl.when(at_end).then("own_correct").otherwise("correct_after"),
    ).select(
        *EVENT,
        "answer_before",
        "answer_after",
        "correct_before",
        "correct_after",
        confidence="whole_logprob_before",
        confidence_after="whole_logprob_after",
        shifted=_differ(pl.col("answer_before"), pl.col("answer_after")),
        mended=~pl.col("correct_before") & pl.col("correct_after"),
        spoiled=pl.col("correct_before") & ~pl.col("correct_after"),
    )


def exits_around(
    rows: pl.DataFrame, events: pl.DataFrame, traces: pl.DataFrame
) -> pl.DataFrame:
    """Columns `before` and `after`: the exits around each event; null without one.

    An arrival that ends after the thought has no exit (`early_exit`).

    Args:
        rows: the events.
        events: `EVENTS`.
        traces: `TRACES`.
    """
    starts = events.select(*EVENT, "start")
    arrivals = (
        events.filter(kind="arrival")
        .join(traces.select("trace", "thought_stop"), on="trace", maintain_order="left")
        .filter(pl.col("end") <= pl.col("thought_stop"))
        .select("trace", "ordinal", at="start")
    )
    return (
        rows.select(EVENT)
        .join(starts, on=EVENT, how="left", maintain_order="left")
        .join(arrivals, on="trace", how="left", maintain_order="left")
        .group_by(EVENT, maintain_order=True)
        .agg(
            before=pl.col("ordinal").filter(pl.col("at") < pl.col("start")).max(),
            last=pl.col("ordinal").max(),
        )
        .with_columns(
            after=pl.when(pl.col("last") > pl.col("before")).then(pl.col("before") + 1)
        )
    )


def _differ(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two answers differ; null where either side has no correctness."""
    known = pl.col("correct_before").is_not_null() & (
        pl.col("correct_after").is_not_null()
    )
    return pl.when(known).then(one.ne_missing(other))
