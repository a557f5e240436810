"""Printed table of what a study cost: time, tokens and memory; notes of the runs."""

from collections.abc import Sequence

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, duration, listed, memory
from doubletake.running.provenance import Benchmark
from doubletake.study.registry import stages

MEASURING = ("retrieve", "generate", "cache", "locate", "detect", "measure")
"""Names of scripts whose time the table of runs holds; a stage has one of them."""
LATER = ("screen", "choose", "summarise", "plot")
"""Names of scripts whose time the table of runs does not hold by itself: screening is
in the runs of the script that measures."""


def run_sheet(runs: pl.DataFrame, measured: Sequence[Benchmark]) -> Sheet:
    """Time, tokens and memory of each script of each stage, summed over its jobs."""
    jobs = {(item.stage, item.script): item for item in measured}
    with_job = {stage for stage, script in jobs if script in MEASURING}
    names = {*jobs, *((stage, "") for stage in runs["stage"] if stage not in with_job)}
    rows = [
        _run_row(
            f"{stage}, {script}" if script else stage,
            runs.filter(pl.col("stage") == stage, pl.lit(script not in LATER)),
            jobs.get((stage, script)),
        )
        for stage, script in sorted(names, key=_order)
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
        "Sums over jobs (shards). The script itself measures computing, without "
        "start-up and loading. Snakemake measures whole jobs and peak memory.",
    )


def _order(rule: tuple[str, str]) -> tuple[int, int, str]:
    """Sort key: the stage's order, then scripts that read other results last."""
    stage, script = rule
    order = {declared.name: declared.order for declared in stages()}
    later = LATER.index(script) + 1 if script in LATER else 0
    return (order[stage], later, script)


def _run_row(name: str, runs: pl.DataFrame, job: Benchmark | None) -> tuple[str, ...]:
    seconds, tokens = float(runs["seconds"].sum()), int(runs["tokens"].sum())
    is_empty = runs.is_empty()
    devices = (runs["device"] + ", " + runs["dtype"]).unique().sort()
    return (
        name,
        count(job.jobs if job else runs.height),
        NOTHING if is_empty else count(int(runs["traces"].sum())),
        count(tokens) if tokens else NOTHING,
        NOTHING if is_empty else duration(seconds),
        count(round(tokens / seconds)) if tokens and seconds else NOTHING,
        duration(job.seconds if job else None),
        memory(job.memory if job else None),
        listed(devices.to_list()) or NOTHING,
    )


def run_notes(runs: pl.DataFrame) -> list[str]:
    """Sentences with the notes of all runs, e.g. on refused traces."""
    rows = (
        runs.filter(pl.col("note") != "").select("stage", "shard", "note").iter_rows()
    )
    return [f"{stage}, shard {shard}: {note}." for stage, shard, note in rows]
