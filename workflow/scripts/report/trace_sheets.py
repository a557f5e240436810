"""Printed tables on the traces of a study: thoughts, arrivals, first arrivals."""

import polars as pl

from doubletake.detector.detectors import DETECTORS
from doubletake.page.caveats import hindsight
from doubletake.page.sections import Sheet
from doubletake.page.study_data import Proportion, StudyData, mean_of, quantile_of
from doubletake.page.wording import count, listed, plural, real
from events.tables import GROUPS

KINDS = ("check", "doubt", "alternative", "reread")
"""Kinds of backtracks (`cue_kind` of the events), in the order of the table."""
NAMED_CUES = 8
"""Number of cues that are named under the table."""


def trace_sheets(data: StudyData) -> list[Sheet]:
    """The tables on traces; an empty list if there are no traces."""
    if data.thoughts.is_empty():
        return []
    return [
        _thoughts_sheet(data),
        _arrivals_sheet(data),
        _first_arrival_sheet(data),
        detectors_sheet(data),
    ]


def _thoughts_sheet(data: StudyData) -> Sheet:
    rows = data.thoughts
    n = plural(rows.height, "thought")
    tokens = rows["tokens"]
    spread = [real(quantile_of(tokens, q), 0) for q in (0.1, 0.5, 0.9)]
    closed = rows.filter(pl.col("closed"))
    cells = [
        ("problems", count(rows["problem"].n_unique()), f"{n} on them"),
        _share("right final answer", rows["correct"], rows, data),
        _share("thought closed", rows["closed"], rows, data),
        _share("thought empty", rows["empty"], rows, data),
        _share("ended by itself", rows["finish"] == "stop", rows, data),
        _share("cut off at the limit", rows["finish"] == "length", rows, data),
        _share("no answer found", rows["answer"].is_null(), rows, data),
        (
            "tokens per thought, median",
            spread[1],
            f"80% between {spread[0]} and {spread[2]}, mean {real(mean_of(tokens), 0)}",
        ),
        (
            "words after the thought, median",
            real(quantile_of(closed["words_after"], 0.5), 0),
            plural(closed.height, "closed thought"),
        ),
    ]
    return Sheet("Thoughts", ("", "", "out of"), tuple(cells), (0, 2))


def _arrivals_sheet(data: StudyData) -> Sheet:
    rows = data.thoughts
    cells = [
        _share(
            f"{plural(least, 'arrival')} or more",
            rows["arrivals"] >= least,
            rows,
            data,
        )
        for least in (1, 2, 4)
    ]
    backtracks = rows["backtracks"]
    cells += [
        (
            "arrivals per thought, mean",
            real(mean_of(rows["arrivals"]), 2),
            plural(int(rows["arrivals"].sum()), "arrival"),
        ),
        _share("turning back at least once", backtracks > 0, rows, data),
        (
            "backtracks per thought, mean",
            real(mean_of(backtracks), 2),
            plural(int(backtracks.sum()), "backtrack"),
        ),
    ]
    events = data.tables["events"].filter(kind="backtrack")
    events = events.join(rows.select("trace", "problem"), on="trace")
    cells += [
        _share(f"backtracks of kind {kind}", flags, events, data, "backtrack")
        for kind, flags in ((k, events["cue_kind"] == k) for k in KINDS)
        if flags.any()
    ]
    return Sheet(
        "Arrivals and turns", ("", "", "out of"), tuple(cells), (0, 2), _cues(events)
    )


def _cues(backtracks: pl.DataFrame) -> str:
    """A sentence on the words that signal a turn, most frequent first."""
    cues = (
        backtracks.drop_nulls("cue")
        .group_by("cue")
        .len()
        .sort(["len", "cue"])
        .reverse()
    )
    if cues.is_empty():
        return ""
    frequent = cues.head(NAMED_CUES)
    named = [f"\u201c{cue}\u201d {n:,}" for cue, n in frequent.iter_rows()]
    unnamed = cues.height - NAMED_CUES
    tail = [plural(unnamed, "other")] if unnamed > 0 else []
    return f"Words that signal a turn: {listed([*named, *tail])}."


def _first_arrival_sheet(data: StudyData) -> Sheet:
    rows = data.thoughts.drop_nulls("first_gold")
    wrong, right = (rows.filter(first_gold=flag) for flag in (False, True))
    exit0 = data.thoughts["exit0_correct"]
    cells = [
        _share(
            "first arrival states a wrong value",
            ~rows["first_gold"],
            rows,
            data,
        ),
        _share(
            "of these thoughts, end right (mended)",
            wrong["correct"],
            wrong,
            data,
        ),
        _share(
            "first arrival right, ends wrong (spoiled)",
            ~right["correct"],
            right,
            data,
        ),
        _share("right at exit 0, without any thought", exit0, data.thoughts, data),
    ]
    arrived = data.arrived
    if not arrived.is_empty():
        saved = arrived["tokens"] - arrived["exit1_tokens"]
        cells += [
            _share("right at exit 1", arrived["exit1_correct"], arrived, data),
            _share(
                "the same thoughts at their end",
                arrived["correct"],
                arrived,
                data,
            ),
            (
                "tokens saved by stopping at exit 1 in hindsight, mean",
                real(mean_of(saved)),
                f"of {real(mean_of(arrived['tokens']))} per thought",
            ),
        ]
    caveat = (
        "" if arrived.is_empty() else hindsight(data.settings["events"]["detector"])
    )
    columns = ("", "", "out of")
    return Sheet("First arrival and end", columns, tuple(cells), (0, 2), note=caveat)


def detectors_sheet(data: StudyData) -> Sheet:
    """Events by detector, and what kind of arrivals each detector adds."""
    counts = {
        (row["detector"], row["group"]): row["events"]
        for row in data.tables["events/counts"].iter_rows(named=True)
    }
    rows = tuple(
        (
            detector,
            count(sum(counts[detector, group] for group in GROUPS)),
            *(count(counts[detector, group]) for group in GROUPS),
            count(counts[detector, "backtrack"]),
        )
        for detector in DETECTORS
    )
    return Sheet(
        "Events per detector",
        ("detector", "arrivals", *GROUPS, "backtracks"),
        rows,
        note="Each arrival is in the first group that holds it, from left to right. "
        "string takes every occurrence of the gold string for an arrival, also inside "
        "longer numbers and where the thought only repeats its answer. The first "
        "arrival and the turns are those that rules finds; new is an arrival after "
        "one of these turns, or the first. These are counts, not errors: which "
        "detector is right shows only on labelled traces.",
    )


def _share(
    label: str,
    flags: pl.Series,
    cases: pl.DataFrame,
    data: StudyData,
    noun: str = "thought",
) -> tuple[str, str, str]:
    """A row on a share: its label, the share, and cases with the interval.

    Args:
        label: of the row.
        flags: [case]; nulls are left out.
        cases: column problem, a row per case.
        data: the study.
        noun: what a case is.
    """
    part = Proportion.of(flags)
    base = f"{count(part.hits)} of {plural(part.n, noun)}"
    if part.n:
        base += f" ({data.share_interval(flags, cases['problem'])})"
    return label, part.text, base
