"""Splits of problems: to train probes, to choose thresholds, to report."""

from collections.abc import Iterable, Sequence

from doubletake.exit_rules.thoughts import Thought
from doubletake.stats.draws import ranked_by_digest

GROUPS = 3
"""Groups of problems. Group g reports what group g + 1 has chosen, with probes that
group g + 2 has trained, so every problem is reported once."""


def problem_groups(problems: Iterable[str], seed: int) -> dict[str, int]:
    """The group of each problem: groups of equal size, drawn by digest.

    Args:
        problems: ids; duplicates count once.
        seed: of the draw.
    """
    ranked = ranked_by_digest({(problem,) for problem in problems}, seed)
    return {str(name[0]): number % GROUPS for number, name in enumerate(ranked)}


def calibration_group(group: int) -> int:
    """The group whose problems choose the thresholds that a group reports."""
    return (group + 1) % GROUPS


def training_group(group: int) -> int:
    """The group whose problems train the probes that score a group.

    The group that chooses the thresholds has scores of the same probes then.
    """
    return (group + 2) % GROUPS


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
