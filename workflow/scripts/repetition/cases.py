"""The thoughts that are looked at: drawn ones with two arrivals or more."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from doubletake.model.exit_points import ExitPoint, exit_points_of
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.stats.draws import ranked_by_digest
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.sentences import Span, cut_after, sentences
from repetition.tables import RIGHT, WRONG


@dataclass(frozen=True, eq=False)
class Case:
    """A thought whose first arrival is repeated."""

    thought: DrawnThought
    outcome: str
    """Whether its first arrival is `right` or `wrong`."""
    number: str
    """The first arrival's number, as it is written."""
    stated: str
    """Canonical value of this number."""
    sentence: Span
    """Characters of the completion: the first arrival's sentence."""
    tail: int
    """Characters of the sentence after the number."""
    points: list[ExitPoint]
    """The real exits 1, 2, ..., all of them."""

    @property
    def name(self) -> str:
        """Id of the trace."""
        return self.thought.name

    @property
    def text(self) -> str:
        """The sentence."""
        return str(self.thought.trace["text"][self.sentence.start : self.sentence.end])

    @property
    def between(self) -> str:
        """The white space with which the thought goes on after the sentence."""
        # ASSUME: a model that repeats its sentence puts the white space between the
        # statements that follows the first one.
        trace = self.thought.trace
        rest = trace["text"][self.sentence.end : trace["thought_stop"]]
        return rest[: len(rest) - len(rest.lstrip())] or " "


def drawn_cases(
    traces: pl.DataFrame,
    problems: pl.DataFrame,
    events: pl.DataFrame,
    prompt: AnswerPrompt,
    count: int,
    seed: int,
) -> list[Case]:
    """Thoughts with at least two exits, up to `count` of each outcome, by name.

    Args:
        traces: `TRACES`.
        problems: `PROBLEMS`.
        events: `EVENTS`.
        prompt: the answer prompt.
        count: largest number of thoughts of an outcome.
        seed: of the draw.
    """
    known = {row["problem"]: row for row in problems.to_dicts()}
    arrivals = events.filter(kind="arrival").sort("trace", "ordinal")
    by_trace = arrivals.partition_by("trace", as_dict=True)
    rows = {row["trace"]: row for row in traces.to_dicts()}
    by_outcome: dict[str, list[str]] = {RIGHT: [], WRONG: []}
    for (name,), own in by_trace.items():
        inside = own.filter(pl.col("end") <= rows[name]["thought_stop"])
        if inside.height >= 2:
            outcome = RIGHT if inside["is_gold"][0] else WRONG
            by_outcome[outcome].append(name)
    cases = []
    for outcome, names in by_outcome.items():
        taken = 0
        for (name,) in ranked_by_digest(((name,) for name in names), seed):
            if taken == count:
                break
            row = rows[str(name)]
            problem = known[row["problem"]]
            thought = DrawnThought(row, problem["gold"], problem["question"])
            case = case_of(thought, outcome, by_trace[name,].to_dicts(), prompt)
            if len(case.points) >= 2:
                cases.append(case)
                taken += 1
    return sorted(cases, key=lambda case: case.name)


def case_of(
    thought: DrawnThought,
    outcome: str,
    arrivals: list[dict[str, Any]],
    prompt: AnswerPrompt,
) -> Case:
    """The case of a thought; `arrivals` are its rows of `EVENTS`, in their order."""
    trace, first = thought.trace, arrivals[0]
    start, end = first["start"], first["end"]
    text = trace["text"][: trace["thought_stop"]]
    spans = sentences(text)
    begin = max((span.start for span in spans if span.start <= start), default=start)
    whole = Span(max(begin, trace["thought_start"]), cut_after(text, end))
    return Case(
        thought,
        outcome,
        text[start:end],
        str(first["value"]),
        whole,
        whole.end - end,
        _numbered(exit_points_of(trace, arrivals, prompt)[1:]),
    )


def _numbered(points: Iterable[ExitPoint]) -> list[ExitPoint]:
    """Exits 1, 2, ...: of arrivals in one sentence only the first one is an exit."""
    kept: list[ExitPoint] = []
    for point in points:
        if not kept or point.sentence_end > kept[-1].sentence_end:
            kept.append(replace(point, number=len(kept) + 1))
    return kept
