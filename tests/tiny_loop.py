"""Made-up tables of the loop: events with numbers, and the summaries of them."""

import numpy as np
from tiny_report import SETTINGS

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from loop.cause_ranks import Ranked
from loop.methods import METHODS, TARGETS
from loop.relations import relations
from loop.summary_rows import causes_table, means_table
from loop.tables import LOOP, LOOP_CAUSES

INTERVALS = IntervalSettings()
FLAGS = {"shifted", "has_cause"}


def loop_rows(count, seed=0, **columns):
    """`LOOP` of events on problems of their own, with numbers of no relation.

    Args:
        count: number of events.
        seed: of the numbers.
        columns: values that replace those of a column, [event].
    """
    rng = np.random.default_rng(seed)
    numbers = {method.column: rng.normal(size=count) for method in METHODS}
    numbers |= {one.column: rng.normal(size=count) for one in TARGETS.values()}
    numbers |= {name: numbers[name] > 0 for name in FLAGS}
    for name in ("steering", "units", "heads"):
        numbers[f"{name}_random"] = rng.normal(size=count)
    cause = np.where(numbers["has_cause"], "slip", "none")
    rows = []
    for k in range(count):
        row = dict.fromkeys(LOOP.schema) | {name: v[k] for name, v in numbers.items()}
        row |= {"trace": f"{k}/0", "problem": f"{k}", "event": 1, "position": 9}
        row |= {"part": "test", "mass": 0.5, "cause": str(cause[k])}
        row |= {"mended": False, "spoiled": False}
        row |= {"correct_before": True, "correct_after": True}
        row |= {name: v[k] for name, v in columns.items()}
        rows.append({name: plain(value) for name, value in row.items()})
    return LOOP.frame(rows)


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


def ranked(count, hits, cause="distractor"):
    """Words of contexts: one of ten is the cause, and it is first or last."""
    classes = tuple((k % 2 == 0, 0) for k in range(10))
    first, last = (True, *[False] * 9), (*[False] * 9, True)
    return [
        Ranked(f"{k}", cause, first if k < hits else last, classes)
        for k in range(count)
    ]


def study(loop, rankings=None, intervals=INTERVALS):
    """A study for the page."""
    correlations, planted = relations(loop, intervals)
    causes = causes_table(rankings, 3, intervals) if rankings else LOOP_CAUSES.frame([])
    tables = {
        "loop": loop,
        "loop/correlations": correlations,
        "loop/planted": planted,
        "loop/causes": causes,
        "loop/means": means_table(loop, intervals),
    }
    settings = SETTINGS | {
        "intervals": {
            "confidence": intervals.confidence,
            "least_problems": intervals.least_problems,
        }
    }
    return StudyData("tiny", "data", tables, settings)
