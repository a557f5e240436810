"""Asked against realised risk: certified on one group of problems, lost on another.

The risk is one of a problem with one drawn thought, in the certificate and in what is
realised. A group without a certificate thinks to the end. It then loses nothing and
saves nothing, so it counts among the tokens and not among the promised problems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.guarantees import (
    Certificate,
    RiskSettings,
    certify,
    least_problems,
)
from exit_guarantees.intervals import corrected, lies_below
from exit_guarantees.outcomes import Outcome, Outcomes


@dataclass(frozen=True)
class Promise:
    """What one group of problems was promised, and what became of it."""

    certificate: Certificate
    outcome: Outcome
    """Of the reported problems at the certified threshold, or to the end."""

    @classmethod
    def of(
        cls, calibration: Outcomes, reported: Outcomes, risk: RiskSettings
    ) -> "Promise":
        """Certify on the calibration problems, and look at the reported ones.

        Args:
            calibration: one thought of each problem.
            reported: one thought of each problem, other problems.
            risk: epsilon and delta.
        """
        certificate = certify(calibration.lost, calibration.grid, risk)
        return cls(certificate, reported.at[certificate.threshold])

    @property
    def is_given(self) -> bool:
        """Whether a threshold is certified."""
        return self.certificate.threshold is not None


def risk_rows(
    pairs: Mapping[str, Sequence[tuple[Outcomes, Outcomes]]],
    risks: Sequence[RiskSettings],
    intervals: IntervalSettings,
) -> list[dict[str, Any]]:
    """Rows of `RISKS`: per family and risk, each group, then all groups.

    Args:
        pairs: [family][group], calibration and reported problems, one thought of each;
            only families that can be checked.
        risks: what is asked for.
        intervals: coverage, and fewest problems with an interval.
    """
    promises = {
        (family, risk): [Promise.of(*pair, risk) for pair in groups]
        for family, groups in pairs.items()
        for risk in risks
    }
    tests = sum(any(one.is_given for one in given) for given in promises.values())
    rows = []
    for (family, risk), given in promises.items():
        asked = {
            "rule": family,
            "epsilon": risk.epsilon,
            "delta": risk.delta,
            "least_problems": least_problems(risk),
        }
        for group, promise in enumerate(given):
            certificate = promise.certificate
            rows.append(
                asked
                | {
                    "group": group,
                    "why_not": None if promise.is_given else certificate.sentence,
                    "calibration_problems": certificate.problems,
                    "calibration_losses": certificate.losses,
                    "p_value": certificate.p_value,
                    "threshold": certificate.threshold,
                    **_realised([promise], intervals),
                }
            )
        smallest = min(promise.certificate.problems for promise in given)
        rows.append(
            asked
            | {"group": None, "calibration_problems": smallest}
            | _realised(given, intervals)
            | _tested(given, risk.epsilon, tests, intervals)
        )
    return rows


def _realised(
    promises: Sequence[Promise], intervals: IntervalSettings
) -> dict[str, Any]:
    """Losses of the promised problems, tokens of all."""
    everyone = Outcome.joined([promise.outcome for promise in promises])
    kept = promised(promises)
    return {
        "certified": sum(promise.is_given for promise in promises),
        "problems": everyone.problems,
        "promised": 0 if kept is None else kept.problems,
        "losses": 0 if kept is None else int(kept.lost.sum()),
        "stopped": int(everyone.stopped.sum()),
        **({} if kept is None else kept.risk(intervals).columns("risk")),
        **everyone.total_rate(intervals).columns("total_rate"),
    }


def promised(promises: Sequence[Promise]) -> Outcome | None:
    """The problems of all groups with a certificate; None if there are none."""
    given = [promise.outcome for promise in promises if promise.is_given]
    return Outcome.joined(given) if given else None


def _tested(
    promises: Sequence[Promise],
    epsilon: float,
    tests: int,
    intervals: IntervalSettings,
) -> dict[str, Any]:
    """Whether the risk is shown to be above epsilon, and whether tokens are saved."""
    kept = promised(promises)
    if kept is None:
        return {}
    everyone = Outcome.joined([promise.outcome for promise in promises])
    p = above_p_value(int(kept.lost.sum()), len(kept.lost), epsilon)
    rate = everyone.total_rate(corrected(intervals, tests))
    return {
        "p_above": p,
        "p_above_corrected": min(1.0, p * tests),
        "saves": lies_below(rate, 1),
    }


def above_p_value(losses: int, problems: int, epsilon: float) -> float:
    """P(Binomial(problems, epsilon) >= losses); 1 without a loss.

    Small values show a risk above epsilon. The losses of several groups are summed. If
    no threshold of theirs has a risk above epsilon, the sum is at most as large.
    """
    from scipy.special import bdtrc  # here, because its import is slow

    return float(bdtrc(losses - 1, problems, epsilon)) if losses else 1.0
