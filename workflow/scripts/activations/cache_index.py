"""Which positions a shard of the activation cache holds, and in which rows."""

import polars as pl

from activations.tables import ACTIVATION_INDEX
from doubletake.running.errors import InputError


def without_unmatched_controls(
    events: pl.DataFrame, matches: pl.DataFrame
) -> pl.DataFrame:
    """All events except the controls that are no member of a matched pair.

    Args:
        events: rows of `EVENTS`.
        matches: rows of `MATCHES`.
    """
    keys = ["trace", "event"]
    controls = events.filter(kind="control")
    unmatched = controls.join(matches, on=keys, how="anti")
    return events.join(unmatched, on=keys, how="anti", maintain_order="left")


def cached_positions(events: pl.DataFrame) -> pl.DataFrame:
    """The positions whose activations are cached: one per event.

    An arrival is cached at its `token`, where the number has been read. A sentence
    (backtrack, wrap-up, control) is cached at `token - 1`; at `token` a probe would
    only read the sentence's first word. A sentence at the start of the sequence has no
    token before it, so it is left out.

    Args:
        events: rows of `EVENTS`.

    Returns:
        Columns trace, event, token; in the order of the events.
    """
    # ASSUME: the model decides on a sentence at the token before its first one.
    before = pl.col("token") - (pl.col("kind") != "arrival").cast(pl.Int32)
    return events.select("trace", "event", token=before).filter(pl.col("token") >= 0)


def index_of(
    traces: pl.DataFrame, in_shard: pl.DataFrame, events: pl.DataFrame, shard: str
) -> pl.DataFrame:
    """The shard's part of the index, in the order of the shard's traces.

    Args:
        traces: rows of `TRACES`, all of the study.
        in_shard: the traces that the shard reads.
        events: rows of `EVENTS`, all of the study.
        shard: k-of-n.

    Returns:
        Rows of `ACTIVATION_INDEX`.

    Raises:
        InputError: an event belongs to an unknown trace, or lies after the end of its
            trace.
    """
    unknown = events.join(traces, on="trace", how="anti")
    if unknown.height:
        trace = unknown["trace"][0]
        raise InputError(f"events: trace {trace} is not in the traces table")
    lengths = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    with_length = events.join(traces.select("trace", length=lengths), on="trace")
    beyond = with_length.filter(pl.col("token") >= pl.col("length"))
    if beyond.height:
        trace, event, token = beyond.select("trace", "event", "token").row(0)
        raise InputError(
            f"events: event {event} lies at token {token}, beyond trace {trace}"
        )
    order = in_shard.select("trace").with_row_index("order")
    positions = cached_positions(events).join(order, on="trace")
    index = (
        positions.sort("order", "event", "token")
        .with_row_index("row")
        .select(
            pl.col("row").cast(pl.Int32),
            pl.lit(shard).alias("shard"),
            "trace",
            "event",
            "token",
        )
    )
    return ACTIVATION_INDEX.check(index)
