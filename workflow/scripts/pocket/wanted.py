"""What the pocket model must reach, and the table that compares its metrics with it.

The bounds stand here once. Card, tests and log compare the same metrics with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBER, PERCENT = "{:.3f}", "{:.1%}"


@dataclass(frozen=True)
class Bound:
    """A number of `metrics.json` and the range in which it must lie."""

    says: str
    """What the number is."""
    key: str
    """Its place: keys with full stops between them."""
    low: float | None = None
    """Smallest wanted value; None without one."""
    high: float | None = None
    """Largest wanted value; None without one."""
    form: str = PERCENT
    """Format of the number."""

    def measured(self, metrics: Mapping[str, Any]) -> float | None:
        """The number; None where it could not be measured."""
        value: Any = metrics
        for part in self.key.split("."):
            value = value[part]
        return None if value is None else float(value)

    def reached(self, metrics: Mapping[str, Any]) -> bool | None:
        """Whether the number lies in its range; None where it was not measured."""
        value = self.measured(metrics)
        if value is None:
            return None
        return (self.low is None or value >= self.low) and (
            self.high is None or value <= self.high
        )

    @property
    def wanted(self) -> str:
        """The range in words."""
        low, high = (
            None if end is None else self.form.format(end)
            for end in (self.low, self.high)
        )
        if low and high:
            return f"{low} to {high}"
        return f"at least {low}" if low else f"at most {high}"


THOUGHTS, BOUNDARIES, LATER = "thoughts.", "boundaries.", "exits.later."

WANTED = (
    Bound("Final answer right", f"{THOUGHTS}accuracy.share", low=0.90),
    Bound("Thought closed", f"{THOUGHTS}closed.share", low=0.97),
    Bound(
        "First arrival wrong",
        f"{THOUGHTS}first_arrival_wrong.share",
        low=0.15,
        high=0.22,
    ),
    Bound(
        "... of these, final answer right", f"{THOUGHTS}mended_of_wrong.share", low=0.65
    ),
    Bound(
        "Rarest number of turns, of 0 to 5",
        f"{THOUGHTS}turns.rarest_up_to_5",
        low=0.03,
    ),
    Bound("Most frequent number of turns", f"{THOUGHTS}turns.most_frequent", high=0.30),
    Bound(
        "Turn rate by cause (all turns), largest distance from the planted rate",
        f"{BOUNDARIES}largest_gap",
        high=0.1,
        form=NUMBER,
    ),
    Bound("Boundaries that the reader reads", f"{BOUNDARIES}read.share", low=0.98),
    Bound(
        "AUROC of the preceding token, turns against other boundaries",
        f"{BOUNDARIES}preceding_token.auroc",
        high=0.65,
        form=NUMBER,
    ),
    Bound(
        "Words that turn back and lead at 5% of the turns or more",
        "leading_words.all_turns.common_turn_words",
        low=3,
        form="{:.0f}",
    ),
    Bound(
        "Mean confidence at exit 0",
        "exits.exit_0.mean_confidence",
        high=0.35,
        form=NUMBER,
    ),
    Bound("ECE at exit 0", "exits.exit_0.ece", high=0.05, form=NUMBER),
    Bound("ECE at later exits", f"{LATER}ece", high=0.05, form=NUMBER),
    Bound(
        "AUROC of confidence for correctness, later exits",
        f"{LATER}auroc",
        low=0.80,
        form=NUMBER,
    ),
    Bound(
        "AUROC of confidence for correctness, all exits",
        "exits.all.auroc",
        low=0.80,
        form=NUMBER,
    ),
)
"""What the model must show on its test problems, at the default sampling."""

ANSWERS = {None: "not checked", True: "yes", False: "no"}


def measured_table(metrics: Mapping[str, Any]) -> str:
    """Measured and wanted numbers, as a table of Markdown."""
    lines = ["| | measured | wanted | reached |", "|---|---|---|---|"]
    for bound in WANTED:
        value = bound.measured(metrics)
        shown = "not measured" if value is None else bound.form.format(value)
        answer = ANSWERS[bound.reached(metrics)]
        lines.append(f"| {bound.says} | {shown} | {bound.wanted} | {answer} |")
    return "\n".join(lines)
