"""Printed tables that every study has: its traces, its runs, its checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.study_data import Proportion, StudyData, mean_of, quantile_of
from doubletake.page.wording import (
    NOTHING,
    count,
    duration,
    listed,
    memory,
    plural,
    real,
    significant,
)
from doubletake.running.provenance import Benchmark
from doubletake.study.registry import stages

VERBS = ("retrieve", "generate", "cache", "locate", "detect", "measure")
"""Scripts of a stage that its run table is about, whichever of them there is."""
LATER = ("summarise", "plot")
"""Scripts that follow on these."""
KINDS = ("check", "doubt", "alternative", "reread")
CUES = 8  # different cues that are named
NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Check:
    """A row of the verification table, judged."""

    stage: str
    check: str
    statistic: str
    value: str
    unit: str
    n: str
    bound: str
    within: str
    """`yes`, `no`, `not checked`, or a dash where there is no bound."""


def trace_sheets(data: StudyData) -> list[Sheet]:
    """The traces in numbers; none without traces."""
    if data.thoughts.is_empty():
        return []
    return [_thoughts_sheet(data), _arrivals_sheet(data), _first_arrival_sheet(data)]


def _thoughts_sheet(data: StudyData) -> Sheet:
    rows = data.thoughts
    n = plural(rows.height, "thought")
    tokens = rows["tokens"]
    spread = [real(quantile_of(tokens, q), 0) for q in (0.1, 0.5, 0.9)]
    after = rows.filter(pl.col("closed"))
    cells = [
        ("problems", count(rows["problem"].n_unique()), f"{n} on them"),
        _share("right final answer", Proportion.of(rows["correct"]), data),
        _share("thought closed", Proportion.of(rows["closed"]), data),
        _share("thought empty", Proportion.of(rows["empty"]), data),
        _share("ended by itself", Proportion.of(rows["finish"] == "stop"), data),
        _share("cut off at the limit", Proportion.of(rows["finish"] == "length"), data),
        _share("no answer found", Proportion.of(rows["answer"].is_null()), data),
        (
            "tokens per thought, median",
            spread[1],
            f"80% between {spread[0]} and {spread[2]}, mean {real(mean_of(tokens), 0)}",
        ),
        (
            "words of the answer after it, median",
            real(quantile_of(after["words_after"], 0.5), 0),
            f"{plural(after.height, 'closed thought')}",
        ),
    ]
    return Sheet("Thoughts", ("", "", "out of"), tuple(cells), (0, 2))


def _arrivals_sheet(data: StudyData) -> Sheet:
    rows = data.thoughts
    cells = [
        _share(
            f"{plural(least, 'arrival')} or more",
            Proportion.of(rows["arrivals"] >= least),
            data,
        )
        for least in (1, 2, 4)
    ]
    turns = rows["backtracks"]
    cells += [
        (
            "arrivals per thought, mean",
            real(mean_of(rows["arrivals"]), 2),
            plural(int(rows["arrivals"].sum()), "arrival"),
        ),
        _share("turning back at least once", Proportion.of(turns > 0), data),
        (
            "backtracks per thought, mean",
            real(mean_of(turns), 2),
            plural(int(turns.sum()), "backtrack"),
        ),
    ]
    back = data.tables["events"].filter(kind="backtrack")
    cells += [
        _share(f"backtracks of kind {kind}", Proportion.of(flags), data, "backtrack")
        for kind, flags in ((k, back["cue_kind"] == k) for k in KINDS)
        if flags.any()
    ]
    return Sheet(
        "Arrivals and turns", ("", "", "out of"), tuple(cells), (0, 2), _cues(back)
    )


def _cues(backtracks: pl.DataFrame) -> str:
    """The words that signal a turn, most frequent first."""
    cues = (
        backtracks.drop_nulls("cue")
        .group_by("cue")
        .len()
        .sort(["len", "cue"])
        .reverse()
    )
    if cues.is_empty():
        return ""
    named = [f"\u201c{cue}\u201d {n:,}" for cue, n in cues.head(CUES).iter_rows()]
    rest = cues.height - CUES
    tail = [f"{plural(rest, 'other')}"] if rest > 0 else []
    return f"Words that signal a turn: {listed([*named, *tail])}."


def _first_arrival_sheet(data: StudyData) -> Sheet:
    rows = data.thoughts.drop_nulls("first_gold")
    wrong, right = (rows.filter(first_gold=flag) for flag in (False, True))
    exit0 = Proportion.of(data.thoughts["exit0_correct"])
    cells = [
        _share(
            "first arrival states a wrong value",
            Proportion(wrong.height, rows.height),
            data,
        ),
        _share("of these, end right (mended)", Proportion.of(wrong["correct"]), data),
        _share(
            "first arrival right, ends wrong (spoiled)",
            Proportion.of(~right["correct"]),
            data,
        ),
        _share("right at exit 0, no thought at all", exit0, data),
    ]
    arrived = data.arrived
    if not arrived.is_empty():
        saved = arrived["tokens"] - arrived["exit1_tokens"]
        cells += [
            _share("right at exit 1", Proportion.of(arrived["exit1_correct"]), data),
            _share(
                "the same thoughts at their end",
                Proportion.of(arrived["correct"]),
                data,
            ),
            (
                "tokens saved by stopping there, mean",
                real(mean_of(saved)),
                f"of {real(mean_of(arrived['tokens']))} per thought",
            ),
        ]
    return Sheet("First arrival and end", ("", "", "out of"), tuple(cells), (0, 2))


def _share(
    label: str, part: Proportion, data: StudyData, what: str = "thought"
) -> tuple[str, str, str]:
    base = f"{count(part.hits)} of {plural(part.n, what)}"
    if part.n:
        base += f" ({part.interval(data.confidence)})"
    return label, part.text, base


def run_sheet(runs: pl.DataFrame, measured: Sequence[Benchmark]) -> Sheet:
    """Time, tokens and memory by stage and script, summed over its jobs."""
    jobs = {(item.stage, item.script): item for item in measured}
    known = {stage for stage, script in jobs if script in VERBS}
    names = {*jobs, *((stage, "") for stage in runs["stage"] if stage not in known)}
    rows = [
        _run_row(
            f"{stage}, {script}" if script else stage,
            runs.filter(pl.col("stage") == stage, pl.lit(script not in LATER)),
            jobs.get((stage, script)),
        )
        for stage, script in sorted(names, key=_place)
    ]
    columns = (
        "stage",
        "jobs",
        "traces",
        "tokens",
        "computing",
        "tokens/s",
        "whole jobs",
        "peak memory",
        "device",
    )
    return Sheet(
        "Time and tokens",
        columns,
        tuple(rows),
        (0, len(columns) - 1),
        "Summed over jobs (shards). Computing: without start-up and loading, as the "
        "rule measured it; whole jobs and peak memory: as Snakemake measured them.",
    )


def _place(rule: tuple[str, str]) -> tuple[int, int, str]:
    """Stages in their order; in a stage, what reads the other results is last."""
    stage, script = rule
    order = {declared.name: declared.order for declared in stages()}
    later = LATER.index(script) + 1 if script in LATER else 0
    return (order[stage], later, script)


def _run_row(name: str, runs: pl.DataFrame, job: Benchmark | None) -> tuple[str, ...]:
    seconds, tokens = float(runs["seconds"].sum()), int(runs["tokens"].sum())
    none = runs.is_empty()
    devices = (runs["device"] + ", " + runs["dtype"]).unique().sort()
    return (
        name,
        count(job.jobs if job else runs.height),
        NOTHING if none else count(int(runs["traces"].sum())),
        count(tokens) if tokens else NOTHING,
        NOTHING if none else duration(seconds),
        count(round(tokens / seconds)) if tokens and seconds else NOTHING,
        duration(job.seconds if job else None),
        memory(job.memory if job else None),
        listed(devices.to_list()) or NOTHING,
    )


def refusals(runs: pl.DataFrame) -> list[str]:
    """What the run tables want a reader to know."""
    rows = (
        runs.filter(pl.col("note") != "").select("stage", "shard", "note").iter_rows()
    )
    return [f"{stage}, shard {shard}: {note}." for stage, shard, note in rows]


def checks(verification: pl.DataFrame) -> list[Check]:
    """The verification rows of all stages, judged."""
    return [
        Check(
            stage=row["stage"],
            check=row["check"],
            statistic=row["statistic"],
            value=NOT_CHECKED if _unchecked(row) else significant(row["value"]),
            unit=row["unit"],
            n=count(row["n"]),
            bound=NOTHING if row["bound"] is None else significant(row["bound"]),
            within=NOT_CHECKED if _unchecked(row) else _within(row),
        )
        for row in verification.iter_rows(named=True)
    ]


def _unchecked(row: dict[str, Any]) -> bool:
    """Whether no case was compared; a value would then mean nothing."""
    return row["value"] is None or not row["n"]


def _within(row: dict[str, Any]) -> str:
    if row["bound"] is None:
        return NOTHING
    return "yes" if row["value"] <= row["bound"] else "no"  # a NaN is not within


def checks_in_words(judged: Sequence[Check]) -> str:
    """The verification in one or two sentences."""
    bounded = [check for check in judged if check.within in ("yes", "no")]
    outside = [check for check in bounded if check.within == "no"]
    n = len(bounded)
    if outside:
        names = listed([f"{check.stage}: {check.statistic}" for check in outside])
        text = f"{len(outside)} of {plural(n, 'check')} outside: {names}."
    elif n > 1:
        text = f"All {n} checks with a bound are within it."
    elif n:
        text = "The one check with a bound is within it."
    else:
        text = "No check has a measured value and a bound."
    return f"{text}{_unchecked_in_words(judged)}"


def _unchecked_in_words(judged: Sequence[Check]) -> str:
    """How many checks had no case, by stage; nothing if all had one."""
    stages = [check.stage for check in judged if check.within == NOT_CHECKED]
    if not stages:
        return ""
    names = [f"{stage} {stages.count(stage)}" for stage in dict.fromkeys(stages)]
    n = "1 was" if len(stages) == 1 else f"{len(stages)} were"
    return f" {n} not checked, for want of cases ({listed(names)})."
