"""Splits: problems on which thresholds are chosen, and the others, which report."""

from collections.abc import Iterable, Sequence

from doubletake.exit_rules.thoughts import Thought
from doubletake.stats.draws import ranked_by_digest


def calibration_problems(
    problems: Iterable[str], share: float, seed: int
) -> frozenset[str]:
    """The problems of the calibration split, drawn by digest.

    Args:
        problems: ids; duplicates count once.
        share: of the problems, from 0 to 1; the number is rounded.
        seed: of the draw.
    """
    names = ranked_by_digest({(problem,) for problem in problems}, seed)
    count = round(share * len(names))
    return frozenset(str(name[0]) for name in names[:count])


def one_per_problem(thoughts: Sequence[Thought], seed: int) -> list[Thought]:
    """One thought of each problem, drawn by digest, in the order of the thoughts.

    Thoughts on one problem depend on each other. Exact p-values and conformal ranks
    need independent cases.
    """
    by_trace = {thought.trace: thought for thought in thoughts}
    drawn: dict[str, str] = {}
    for (trace,) in ranked_by_digest([(trace,) for trace in by_trace], seed):
        drawn.setdefault(by_trace[str(trace)].problem, str(trace))
    taken = set(drawn.values())
    return [thought for thought in thoughts if thought.trace in taken]
