"""Checks of the exact changes: against plain passes, attribution, and gradients."""

from dataclasses import dataclass, field

import torch

from doubletake.model.patching import Patch, metric_by_full_pass, slopes
from doubletake.stats.draws import Name, generator
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow
from exact_attribution.event_rows import Measured, Meter, estimate_of

# ASSUME: rounding in float32 changes the metric by less than this (chosen by hand).
METRIC_BOUND = 1e-3
UNIT = "nat or logit"
REPLAY = 5  # passes: a plain one, a clean one, and one of three times the cost


def checked_events(
    lengths: dict[Name, int], words: int, layers: int, settings: Verification
) -> set[Name]:
    """The backtracks of which one word is replaced by a plain pass: a seeded draw.

    Args:
        lengths: by trace and event of the drawn backtracks of the study: their tokens.
        words: largest number of words of a backtrack.
        layers: number of boundaries.
        settings: share, minimum and seed.
    """
    # A word's pass computes half of the tokens and half of the layers, in the mean.
    work = sum(lengths.values()) * (1 + words * layers / 4)
    cases = [Case(name, REPLAY * tokens) for name, tokens in lengths.items()]
    return {case.name for case in drawn(cases, work, settings)}


@dataclass
class Differences:
    """Differences to other computations of the same numbers."""

    plain: Largest = field(default_factory=Largest)
    """Of patched passes, to plain passes over the whole sequence."""
    clean: Largest = field(default_factory=Largest)
    """Of the clean metric, to the one of attribution."""
    slope: Largest = field(default_factory=Largest)
    """Of the estimate, to the metric's slope where the word has not moved."""

    def compare_clean(self, measured: Measured) -> None:
        """The clean run against attribution's."""
        stored = measured.context.row["metric_value"]
        self.clean.add(abs(measured.clean - stored))

    def replay(self, meter: Meter, measured: Measured, seed: int) -> None:
        """One change of the backtrack by a plain pass, and one estimate."""
        if not measured.changes:
            return
        context = measured.context
        draw = generator(seed, "replay", *context.key)
        patch = draw.choice(list(measured.changes))
        shared = (meter.decoder, meter.metric, {"resid": meter.means})
        plain = metric_by_full_pass(*shared, context.decision, patch)
        self.plain.add(abs(measured.clean + measured.changes[patch] - plain))
        start = Patch(patch.layer, patch.tokens, 0.0)
        memory = meter.settings.batch_memory
        (slope,) = slopes(*shared, context.decision, [start], memory)
        self.slope.add(abs(slope - estimate_of(context, patch)))

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds."""
        compared = {
            "metric with a word replaced, fast pass against plain pass": self.plain,
            "metric of the clean run, here against attribution": self.clean,
            "estimate of a word, sum of its tokens' scores against the metric's slope "
            "along the word's path": self.slope,
        }
        return [
            VerificationRow(
                check=check,
                statistic="largest difference",
                value=error.value,
                unit=UNIT,
                n=error.n,
                bound=METRIC_BOUND if dtype == torch.float32 else None,
                merge="max",
            )
            for check, error in compared.items()
        ]
