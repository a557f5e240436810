"""Covariates of an event: where its cached position stands in the thought.

No covariate knows what comes after the position, because the model does not know it
either.
"""

import re
from typing import Any

import polars as pl

from doubletake.text.sentences import starts_line

_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")
IN_PROMPT = "in the prompt"
"""Value of `token_class` where the position lies in the prompt."""


def token_class(text: str) -> str:
    """Class of a token: its text with `a` for letters and `0` for digits.

    Tokens of one class have the same punctuation and white space. So ` apples` and
    ` Tom` are of the class ` a`; a full stop with a line break is a class of its own.
    """
    return _DIGITS.sub("0", _LETTERS.sub("a", text))


def with_covariates(events: pl.DataFrame, traces: pl.DataFrame) -> pl.DataFrame:
    """The events with their positions and covariates.

    Args:
        events: `EVENTS`.
        traces: `TRACES`.

    Returns:
        One row per event, by trace and event. Columns trace, problem, event, kind,
        is_gold, position (the token whose activations are cached), and:

        - line_start: the event starts a line (spaces left aside).
        - token_class: class of the token at the position.
        - arrivals_before: number of arrivals read before.
        - since_arrival: tokens from the last arrival to the position; from the start
          of the thought where there is no earlier arrival.
        - depth: tokens of the thought up to the position.
        - after_wrap_up: the event comes after a wrap-up.
        - preferred: the event is the first backtrack of its thought.
    """
    is_arrival, is_wrap_up = pl.col("kind") == "arrival", pl.col("kind") == "wrap_up"
    ordered = events.sort("trace", "event").with_columns(
        position=pl.col("token") - (~is_arrival).cast(pl.Int32),
        after_wrap_up=((is_wrap_up.cum_sum() - is_wrap_up) > 0).over("trace"),
    )
    ordered = _with_last_arrival(ordered)
    trace_rows = traces.select(
        "trace", "problem", "prompt_ids", "text", "offsets"
    ).rows_by_key("trace", named=True, unique=True)
    read = [
        _from_text(row, trace_rows[row["trace"]])
        for row in ordered.select("trace", "start", "position").iter_rows(named=True)
    ]
    schema = {"problem": pl.String, "prompt": pl.Int32}
    schema |= {"line_start": pl.Boolean, "token_class": pl.String}
    texts = pl.DataFrame(read, schema=schema, orient="row")
    return pl.concat([ordered, texts], how="horizontal").select(
        *("trace", "problem", "event", "kind", "is_gold", "position"),
        *("line_start", "token_class"),
        "arrivals_before",
        since_arrival=pl.col("position")
        - pl.col("last_arrival").fill_null(pl.col("prompt")),
        depth=pl.col("position") - pl.col("prompt"),
        after_wrap_up="after_wrap_up",
        # ASSUME: experiments look at first backtracks (`turns.backtracks`) most often.
        preferred=(pl.col("kind") == "backtrack") & (pl.col("ordinal") == 1),
    )


def _with_last_arrival(events: pl.DataFrame) -> pl.DataFrame:
    """The events with `arrivals_before` and the token `last_arrival` (can be null).

    An arrival counts if its number has been read at the position. So a sentence that
    begins with an arrival does not count it.
    """
    arrivals = events.filter(kind="arrival").select(
        "trace",
        last_arrival="token",
        arrivals_before=pl.col("event").cum_count().over("trace").cast(pl.Int32),
    )
    is_arrival = (pl.col("kind") == "arrival").cast(pl.Int32)
    keyed = events.with_columns(read_until=pl.col("position") - is_arrival)
    return (
        keyed.sort("read_until")
        .join_asof(
            arrivals.sort("last_arrival"),
            left_on="read_until",
            right_on="last_arrival",
            by="trace",
            coalesce=False,
            check_sortedness=False,
        )
        .with_columns(pl.col("arrivals_before").fill_null(0))
        .sort("trace", "event")
    )


def _from_text(event: dict[str, Any], trace: dict[str, Any]) -> tuple[Any, ...]:
    """Problem, length of the prompt, `line_start` and `token_class` of an event."""
    prompt, offsets = len(trace["prompt_ids"]), trace["offsets"]
    index = event["position"] - prompt
    name = IN_PROMPT
    if index >= 0:
        bounds = (*offsets[index : index + 2], len(trace["text"]))
        name = token_class(trace["text"][bounds[0] : bounds[1]])
    line_start = starts_line(trace["text"], event["start"])
    return trace["problem"], prompt, line_start, name
