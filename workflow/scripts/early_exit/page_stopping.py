"""What the page says about stopping at the first arrival, always as hindsight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.detector.detectors import GOLD_BASED
from doubletake.page.caveats import hindsight
from doubletake.page.reader import is_reader
from doubletake.page.wording import percent, plural, points, real

if TYPE_CHECKING:
    from doubletake.page.study_data import Difference, StudyData


def stopping(data: StudyData) -> str:
    """What a stop at the first arrival would save and cost, as a part of a sentence."""
    gain = data.gain
    if gain is None:
        return ""
    return (
        "stopping there, chosen in hindsight, would save "
        f"{saving(data)} of the thought and {_consequence(data, gain)}"
    )


def verdict(data: StudyData) -> str:
    """Whether the model could have stopped there, on average; not of a reader."""
    gain = data.gain
    if gain is None or is_reader(data):
        return ""
    n = plural(gain.n, "thought")
    end = (
        f"it ends right in {percent(share(data, 'correct'))} of the same {n}, after "
        f"{mean(data, 'tokens')} instead of {mean(data, 'exit1_tokens')} thought "
        "tokens on average"
    )
    problems = plural(gain.problems, "problem")
    found = answer(gain) or f"Not checked with {n} on {problems}"
    return f"Could it have stopped there, chosen in hindsight? {found}: {end}."


def answer(gain: Difference) -> str:
    """Whether stopping loses accuracy, by the interval of the mean change.

    Empty without an interval.

    Args:
        gain: accuracy at the end minus at the first arrival, over the same thoughts.
    """
    if gain.low is None or gain.high is None:
        return ""
    if gain.low > 0:
        return "Not without loss"
    if gain.high < 0:
        return "It should have"
    return f"No loss can be shown with {plural(gain.n, 'thought')}"


def caveat(data: StudyData) -> str:
    """Why no rule for a running thought could stop at these arrivals."""
    return hindsight(data.settings["events"]["detector"])


def detector_note(data: StudyData) -> str:
    """How the detector's definition of an arrival affects these figures."""
    detector = data.settings["events"]["detector"]
    if detector in GOLD_BASED:
        return (
            f"Note that the detector \u201c{detector}\u201d looks for the gold number, "
            "so every arrival here states the right value by construction."
        )
    arrivals = data.tables["events"].filter(kind="arrival")
    final = arrivals["is_final"].drop_nulls()
    if len(final) and final.all():
        return (
            f"Note that all {plural(arrivals.height, 'arrival')} found here state the "
            "value that the thought ends with; a stop at another value does not count "
            "as an arrival. So these figures hold for thoughts that have reached their "
            "last value."
        )
    return ""


def share(data: StudyData, column: str) -> float:
    """Share of true values among the thoughts with an arrival."""
    return int(data.arrived[column].sum()) / data.arrived.height


def mean(data: StudyData, column: str) -> str:
    """Mean of a count over the thoughts with an arrival."""
    return real(int(data.arrived[column].sum()) / data.arrived.height)


def saving(data: StudyData) -> str:
    """Share of the thought tokens that come after the first exit."""
    tokens, before = (int(data.arrived[c].sum()) for c in ("tokens", "exit1_tokens"))
    return percent(1 - before / tokens if tokens else None)


def _consequence(data: StudyData, gain: Difference) -> str:
    """How stopping changes the accuracy, with an interval."""
    if not gain.changed:
        return "change no score"
    change = f"{'cost' if gain.mean > 0 else 'gain'} {real(100 * abs(gain.mean))}"
    if not gain.mean:
        change = "neither cost nor gain"
    if gain.low is None or gain.high is None:
        ends = data.why_no_interval(gain.problems)
    else:
        ends = f"{points(-gain.high)} to {points(-gain.low)}"
    return (
        f"{change} points of accuracy ({data.confidence:.0%} interval of the change "
        f"{ends})"
    )
