"""The cuts of all thoughts, from the tables of trial points and of early exits."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.text.trace_positions import thought_tokens
from faithfulness.drawn import usable
from faithfulness.names import ARRIVAL, SENTENCE
from faithfulness.same import same_answer
from faithfulness.tables import CUTS

COLUMNS = ("tokens_before", "answer", "correct")


def cuts_of(
    traces: pl.DataFrame,
    events: pl.DataFrame,
    points: pl.DataFrame,
    exits: pl.DataFrame,
) -> pl.DataFrame:
    """`CUTS`: every cut of every closed thought with an answer.

    Args:
        traces: `TRACES`.
        events: `EVENTS`.
        points: `TRIAL_POINTS`; taken are start, ends of sentences, and end.
        exits: `EARLY_EXIT`.
    """
    own = usable(traces)
    ends = pl.col("sentence") | pl.col("paragraph") | pl.col("end")
    chosen = points.filter(ends | (pl.col("point") == 0)).sort("trace", "point")
    by_sentence = chosen.select("trace", *COLUMNS).partition_by("trace", as_dict=True)
    at_exits = exits.sort("trace", "exit").select("trace", *COLUMNS)
    by_exit = at_exits.partition_by("trace", as_dict=True)
    arrivals = events.filter(kind="arrival").partition_by("trace", as_dict=True)
    none = pl.DataFrame()
    rows: list[dict[str, Any]] = []
    for trace in own.iter_rows(named=True):
        key = (trace["trace"],)
        tokens = arrivals[key]["token"].to_numpy() if key in arrivals else np.array([])
        places = np.sort(tokens) - thought_tokens(trace)[0]
        rows += _rows(trace, SENTENCE, by_sentence.get(key, none), places)
        rows += _rows(trace, ARRIVAL, by_exit.get(key, none), places)
    return CUTS.frame(rows)


def _rows(
    trace: dict[str, Any], source: str, found: pl.DataFrame, places: np.ndarray
) -> list[dict[str, Any]]:
    """Rows of one thought and source; `places` are thought tokens of its arrivals."""
    return [
        {
            "trace": trace["trace"],
            "problem": trace["problem"],
            "source": source,
            "cut": number,
            "tokens_before": cut["tokens_before"],
            "arrivals": int(np.searchsorted(places, cut["tokens_before"])),
            "answer": cut["answer"],
            "same": same_answer(trace["answer"], cut["answer"]),
            "correct": cut["correct"],
        }
        for number, cut in enumerate(found.to_dicts())
    ]
