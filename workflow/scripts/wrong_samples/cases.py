"""The thoughts that are continued: wrong ones, as many right ones, and their cuts.

A right thought is drawn for each wrong one, by digest, and not matched with it. So the
right ones stand for all right thoughts of the study, as the net change needs it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

from doubletake.detector.causal import detect_causal
from doubletake.exit_rules.places import ThoughtPlaces
from doubletake.stats.draws import ranked_by_digest
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.trace_positions import thought_span
from wrong_samples.names import RIGHT, WRONG


@dataclass(frozen=True, eq=False)
class Case:
    """A thought with an arrival, and where it is cut."""

    thought: DrawnThought
    arrivals: int
    """Number of arrivals that the causal reader finds."""
    first: int
    """Tokens of the completion that are kept at a cut at the first arrival."""
    last: int
    """The same at the last arrival."""

    @property
    def start(self) -> str:
        """Of `STARTS`."""
        return RIGHT if self.thought.trace["correct"] else WRONG

    @property
    def name(self) -> str:
        """Id of the trace."""
        return self.thought.name


def case_of(
    one: DrawnThought, stop_ids: Collection[int], end_marker: str
) -> Case | None:
    """The cuts of a thought; None for a thought without an arrival.

    A cut is at the end of a sentence: of the sentence before the cue words that show
    the arrival, or else of the sentence that shows it. No token is split.

    Args:
        one: the thought.
        stop_ids: tokens that end a completion.
        end_marker: the end-of-thought marker.
    """
    trace = one.trace
    thought = trace["text"][slice(*thought_span(trace))]
    arrivals = detect_causal(one.question, thought).arrivals
    if not arrivals:
        return None
    places = ThoughtPlaces(trace, stop_ids, end_marker)
    first, last = (
        places.cut(arrivals[k].cut) - len(trace["prompt_ids"]) for k in (0, -1)
    )
    return Case(one, len(arrivals), first, last)


@dataclass(frozen=True)
class Plan:
    """What all shards continue; it does not depend on their number."""

    pairs: list[tuple[Case, Case | None]]
    """Wrong thoughts of the study, each with a right one, as far as there are any."""
    further: list[tuple[str, Case | None]]
    """Problems on which one further thought is sampled. The right thought is continued
    if the further one ends wrong."""


@dataclass(frozen=True)
class Wanted:
    """How many thoughts are continued; fields as in the config."""

    thoughts: int | None
    wanted: int
    further: int
    seed: int


def planned(
    traces: pl.DataFrame,
    test: Collection[str],
    read: Callable[[str], Case | None],
    wanted: Wanted,
) -> Plan:
    """Choose thoughts on test problems, one for each problem first.

    Args:
        traces: columns trace, problem and correct of the study's thoughts.
        test: the problems that gave no direction.
        read: the case of a thought, by its name; None without an arrival.
        wanted: numbers and seed.
    """
    own = traces.filter(pl.col("problem").is_in(list(test)))
    wrong, right = (
        (
            case
            for name in ordered(own.filter(correct=flag), wanted.seed)
            if (case := read(name)) is not None
        )
        for flag in (False, True)
    )
    wrong_cases = list(islice(wrong, wanted.thoughts))
    with_wrong = {case.thought.trace["problem"] for case in wrong_cases}
    rights = list(islice(right, len(wrong_cases)))
    pairs = list(zip(wrong_cases, padded(rights, len(wrong_cases)), strict=True))
    if len(with_wrong) >= wanted.wanted or wanted.thoughts == len(wrong_cases):
        return Plan(pairs, [])
    names = ((name,) for name in set(own["problem"]) - with_wrong)
    ranked = ranked_by_digest(names, f"further/{wanted.seed}")
    problems = [str(name) for (name,) in ranked[: wanted.further]]
    others = padded(list(islice(right, len(problems))), len(problems))
    return Plan(pairs, list(zip(problems, others, strict=True)))


def ordered(traces: pl.DataFrame, seed: int) -> list[str]:
    """Names of thoughts by digest, one for each problem before a second for any.

    Args:
        traces: with columns trace and problem.
        seed: of the draw.
    """
    problem_of = dict(traces.select("trace", "problem").iter_rows())
    seen: Counter[str] = Counter()
    ranks: list[tuple[int, int, str]] = []
    for (name,) in ranked_by_digest(((name,) for name in problem_of), seed):
        problem = problem_of[str(name)]
        ranks.append((seen[problem], len(ranks), str(name)))
        seen[problem] += 1
    return [name for _, _, name in sorted(ranks)]


def padded(cases: Sequence[Case], count: int) -> list[Case | None]:
    """The cases, and None up to a count."""
    return [*cases, *[None] * (count - len(cases))]
