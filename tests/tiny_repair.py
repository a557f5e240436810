"""Hand-made and simulated arrivals, as rows of `repair.tables.ARRIVALS`."""

import numpy as np
import polars as pl

from repair.tables import AHEAD, ARRIVALS, STRAIGHT

STEP = 50
"""Thought tokens between two arrivals, and after the last."""


def arrivals_of(*thoughts, cause=None, problems=None):
    """Arrivals of thoughts, each (forced answers in order, the end's); "8" is right.

    A turn follows every arrival but the last of a thought. Every thought has a problem
    of its own, unless `problems` are given.
    """
    rows = []
    for number, (answers, end) in enumerate(thoughts):
        for k, answer in enumerate(answers, 1):
            later = answers[k] if k < len(answers) else end
            rows.append(
                {
                    "trace": f"{number}/0",
                    "problem": f"{problems[number] if problems else number}",
                    "point": k,
                    "arrival": k,
                    "known": 1,
                    "in_events": 1,
                    "answer": answer,
                    "correct": answer == "8",
                    "next_answer": later,
                    "next_correct": later == "8",
                    "forced_end_correct": end == "8",
                    "end_correct": end == "8",
                    "tokens_next": STEP,
                    "tokens_after": STEP * (len(answers) - k + 1),
                    "turn": AHEAD if k < len(answers) else STRAIGHT,
                    "turns": len(answers) - 1,
                    "cause": cause,
                }
            )
    return ARRIVALS.frame(rows)


def simulated(draw, mended, spoiled, arrivals=3, problems=60, samples=1, **columns):
    """Arrivals of a study: each answer is mended or spoiled with a probability.

    Args:
        draw: source of random numbers.
        mended: [arrival], probability that the end is right and the arrival wrong.
        spoiled: [arrival], of the reverse.
        arrivals: number of arrivals of a thought.
        problems: number of problems.
        samples: thoughts on each; they tend to change alike.
        columns: further columns, e.g. causes.
    """
    n = problems * samples
    end = draw.random(n) < 0.8
    level = np.repeat(draw.random(problems), samples)
    own = np.where(draw.random(n) < 0.3, level, draw.random(n))[:, None]
    moved = np.where(draw.random((n, arrivals)) < 0.5, own, draw.random((n, arrivals)))
    low, high = np.asarray(mended), np.asarray(spoiled)
    change = (moved < low).astype(int) - (moved > 1 - high).astype(int)
    ends = np.where(change == 0, end[:, None], change > 0)
    right = np.where(change == 0, ends, change < 0)
    flat = {
        "trace": np.repeat(np.arange(n), arrivals).astype(str),
        "problem": np.repeat(np.arange(n) // samples, arrivals).astype(str),
        "point": np.tile(np.arange(1, arrivals + 1), n),
        "arrival": np.tile(np.arange(1, arrivals + 1), n),
        "known": 1,
        "in_events": 1,
        "answer": "8",
        "correct": right.ravel(),
        "next_answer": "8",
        "next_correct": ends.ravel(),
        "forced_end_correct": ends.ravel(),
        "end_correct": ends.ravel(),
        "tokens_next": STEP,
        "tokens_after": STEP,
        "turn": AHEAD,
        "turns": 1,
        "cause": None,
    }
    table = pl.DataFrame(flat | columns)
    return table.select(
        pl.col(name).cast(dtype) for name, dtype in ARRIVALS.schema.items()
    )
