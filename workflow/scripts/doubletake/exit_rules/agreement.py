"""Agreement of trial answers in a row."""

from collections.abc import Callable

from doubletake.exit_rules.points import History, TrialPoint


def run_length(
    history: History, counts: Callable[[TrialPoint], bool] = lambda _: True
) -> int:
    """Number of last points in a row with the same answer; 0 if the last has none.

    Args:
        history: points of a thought.
        counts: whether a point may belong to the run.
    """
    answer, length = history[-1].answer, 0
    for point in reversed(history):
        if answer is None or point.answer != answer or not counts(point):
            break
        length += 1
    return length
