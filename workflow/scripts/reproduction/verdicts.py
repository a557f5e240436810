"""When a published claim counts as reproduced, and when it cannot be compared."""

from typing import Any

from reproduction.claim import Claim
from reproduction.published import Entry
from reproduction.run import Finding
from reproduction.tables import (
    LEVEL,
    NOT_COMPARABLE,
    NOT_MEASURED,
    NOT_REPRODUCED,
    REPRODUCED,
)

Verdict = tuple[str, str]
"""A verdict, and why nothing was compared; empty if it was."""


def not_comparable(claim: Claim, entry: Entry, settings: dict[str, Any]) -> str:
    """Why a study's number cannot be compared with the published one; empty if it can.

    A level depends on the model and its problems, a shape does not. Neither can be
    compared where the model only reads thoughts that it may not have written.
    """
    reasons = []
    if settings["dataset"]["thoughts"]:
        reasons.append(
            "the thoughts come from a file, the model may not be their author"
        )
    if claim.kind == LEVEL:
        pairs = (("model", entry.work.model), ("dataset", entry.work.dataset))
        for name, published in pairs:
            own = settings[name]["source"]
            if own != published:
                thing = "model" if name == "model" else "problems"
                reasons.append(f"other {thing} ({own})")
        if entry.not_stated:
            reasons.append(f"not stated: {entry.not_stated}")
    return "; ".join(reasons)


def verdict_of(
    claim: Claim, entry: Entry, found: Finding, settings: dict[str, Any]
) -> Verdict:
    """The verdict on a number that was measured.

    Args:
        claim: the claim.
        entry: what was published.
        found: the number of the run.
        settings: sections of the run's config.
    """
    if reason := not_comparable(claim, entry, settings):
        return NOT_COMPARABLE, reason
    holds = found.holds if claim.kind != LEVEL else _level_holds(claim, entry, found)
    if holds is None:
        least = settings["intervals"]["least_problems"]
        return NOT_MEASURED, f"not checked: no interval, fewer than {least} problems"
    return (REPRODUCED if holds else NOT_REPRODUCED), ""


def published_value(claim: Claim, entry: Entry) -> float | None:
    """The published number of a claim."""
    return entry.value if claim.value is None else claim.value


def _level_holds(claim: Claim, entry: Entry, found: Finding) -> bool | None:
    """Whether a published number lies in the interval, or ours in a published range.

    Without an interval by design (a number of a layer, a flag) they must be equal.
    """
    if found.value is None:
        return None
    if entry.within is not None:
        low, high = entry.within
        return low <= found.value <= high
    value = published_value(claim, entry)
    if value is None:
        return None
    if entry.unit_of:
        return found.value == value
    if found.low is None or found.high is None:
        return None
    return found.low <= value <= found.high
