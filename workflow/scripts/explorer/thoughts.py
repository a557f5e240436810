"""Rows of the list of thoughts, and records of whole thoughts."""

from math import isfinite
from typing import Any

import polars as pl

from doubletake.text.tokenizer import TraceTokenizer
from explorer.part import DIGITS, Part

LIST = (
    *("trace", "problem", "correct", "answer", "tokens", "closed", "limited"),
    *("arrivals", "backtracks", "first_right", "ever_right", "cues"),
    "first_logprob",
)


def listed(tables: Any, *, exits: bool) -> pl.DataFrame:
    """One row per thought, with what the list shows and filters.

    Args:
        tables: of the study.
        exits: whether the study has the table of early exits.

    Returns:
        Columns trace, problem, correct, answer, tokens, closed, limited, arrivals,
        backtracks, first_right (the first arrival states the reference answer),
        ever_right (any arrival does), cues (kinds of cues of the backtracks) and
        first_logprob (of the answer forced at exit 1).
    """
    events = tables["events"]
    arrivals = events.filter(kind="arrival").sort("trace", "event")
    turns = events.filter(kind="backtrack").sort("trace", "event")
    counted = (
        arrivals.group_by("trace", maintain_order=True).agg(
            pl.len().alias("arrivals"),
            pl.col("is_gold").first().alias("first_right"),
            pl.col("is_gold").any().alias("ever_right"),
        ),
        turns.group_by("trace", maintain_order=True).agg(
            pl.len().alias("backtracks"),
            pl.col("cue_kind").unique(maintain_order=True).alias("cues"),
        ),
    )
    rows = tables["traces"].select(
        "trace",
        "problem",
        "correct",
        "answer",
        pl.col("completion_ids").list.len().alias("tokens"),
        pl.col("thought_end").is_not_null().alias("closed"),
        (pl.col("finish") == "length").alias("limited"),
    )
    for table in counted:
        rows = rows.join(table, on="trace", how="left", maintain_order="left")
    if exits:
        first = tables["early_exit"].filter(exit=1)
        first = first.select("trace", first_logprob=pl.col("whole_logprob"))
        rows = rows.join(first, on="trace", how="left", maintain_order="left")
    else:
        rows = rows.with_columns(first_logprob=pl.lit(None, pl.Float64))
    return rows.with_columns(
        pl.col("arrivals", "backtracks").fill_null(0),
        pl.col("first_logprob").round_sig_figs(DIGITS),
    )


def records(
    tables: Any, parts: list[Part], tokenizer: TraceTokenizer
) -> list[dict[str, Any]]:
    """The records of all thoughts, in the order of the list.

    A record holds the texts of prompt and completion with the characters at which their
    tokens start, the log-probs of the completion's tokens, and the rows of all parts.

    Args:
        tables: of the study.
        parts: what is shown.
        tokenizer: reads the prompts' tokens.
    """
    rows = {part.name: part.rows(tables[part.table]) for part in parts}
    prompts: dict[tuple[int, ...], tuple[str, list[int]]] = {}
    found = []
    for trace in tables["traces"].iter_rows(named=True):
        ids = tuple(trace["prompt_ids"])
        if ids not in prompts:
            prompts[ids] = tokenizer.decode(list(ids))
        prompt, offsets = prompts[ids]
        logprobs = trace["logprobs"]
        found.append(
            {
                "trace": trace["trace"],
                "prompt": prompt,
                "prompt_offsets": steps(offsets),
                "text": trace["text"],
                "offsets": steps(trace["offsets"]),
                "logprobs": None
                if logprobs is None
                else [round(v, 4) if isfinite(v) else None for v in logprobs],
                "thought": [trace["thought_start"], trace["thought_stop"]],
                "thought_end": trace["thought_end"],
                "finish": trace["finish"],
                "answer": trace["answer"],
                "correct": trace["correct"],
                **{
                    name: part[(trace["trace"],)]
                    for name, part in rows.items()
                    if (trace["trace"],) in part
                },
            }
        )
    return found


def steps(offsets: list[int]) -> list[int]:
    """Differences of ascending numbers, the first one from 0; they compress well."""
    return [b - a for a, b in zip([0, *offsets], offsets, strict=False)]
