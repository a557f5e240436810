"""How many events does each detector find in a study's own thoughts?

The string search counts every occurrence of the gold string. Each arrival of a detector
is put into the first of the `GROUPS` that holds it. Turns are those of the detector
`rules`.

Inputs
    problems: one row per problem (`PROBLEMS`).
    traces: one row per thought (`TRACES`).

Outputs
    counts: events by detector and group (`EVENT_COUNTS`).
"""

import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.detector.detectors import DETECTORS, find_events
from doubletake.detector.events import Arrival, Events
from doubletake.running.logs import Progress, job
from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import thought_span
from events.tables import (
    EARLY,
    EVENT_COUNTS,
    GROUPS,
    NEW,
    PART,
    RESTATED,
    SAME_SENTENCE,
)
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("count_events")


def count_events(
    question: str, thought: str, gold: str, answer: str | None
) -> Counter[tuple[str, str]]:
    """Numbers of events of one thought by detector and group.

    Args:
        question: the problem's text.
        thought: the text.
        gold: the reference answer.
        answer: the canonical final answer.

    Returns:
        Counts by (detector, `backtrack` or a group of arrivals).
    """
    counts: Counter[tuple[str, str]] = Counter()
    rules = find_events(question, thought, gold, answer, "rules")
    for detector in DETECTORS:
        found = find_events(question, thought, gold, answer, detector)
        counts[detector, "backtrack"] += len(found.backtracks)
        for group in _groups(thought, found.arrivals, rules):
            counts[detector, group] += 1
    return counts


def _groups(
    thought: str, arrivals: tuple[Arrival, ...], rules: Events
) -> Iterator[str]:
    """The group of each arrival."""
    starts = [span.start for span in sentences(thought)]
    turns = [item.start for item in rules.backtracks]
    first = rules.arrivals[0].start if rules.arrivals else len(thought)
    before: Arrival | None = None
    for item in arrivals:
        if _is_part(thought, item):
            yield PART
            continue
        if item.end <= first:
            yield EARLY
        elif before is None:
            yield NEW
        elif bisect_right(starts, before.start) == bisect_right(starts, item.start):
            yield SAME_SENTENCE
        elif bisect_right(turns, before.end) == bisect_right(turns, item.start):
            yield RESTATED
        else:
            yield NEW
        before = item if item.end > first else None


def _is_part(thought: str, item: Arrival) -> bool:
    """Whether digits continue a number on either side."""
    left, right = thought[max(0, item.start - 2) : item.start], thought[item.end :][:2]
    return (
        left[-1:].isdigit()
        or right[:1].isdigit()
        or (left[-1:] in ".," and left[:1].isdigit())
        or (right[:1] in ".," and right[1:].isdigit())
    )


def main(*, problems_path: Path, traces_path: Path, counts_path: Path) -> None:
    """Read problems and traces, run every detector, write the counts."""
    problems = {row["problem"]: row for row in PROBLEMS.read(problems_path).to_dicts()}
    columns = ["problem", "text", "thought_start", "thought_stop", "answer"]
    columns += ["prompt_ids", "offsets"]
    traces = TRACES.read(traces_path).select(columns)
    counts: Counter[tuple[str, str]] = Counter()
    progress = Progress(traces.height, "traces")
    for trace in traces.iter_rows(named=True):
        problem, span = problems[trace["problem"]], thought_span(trace)
        thought = trace["text"][span.start : span.end]
        counts.update(
            count_events(problem["question"], thought, problem["gold"], trace["answer"])
        )
        progress.update(items=1)
    progress.close()
    rows = [
        {"detector": name, "group": group, "events": counts[name, group]}
        for name in DETECTORS
        for group in (*GROUPS, "backtrack")
    ]
    EVENT_COUNTS.write(EVENT_COUNTS.frame(rows), counts_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            counts_path=Path(snakemake.output.counts),
        )
