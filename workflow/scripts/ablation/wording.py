"""Names of targets, modes and sets in sentences, and the verdict on an ablation."""

from typing import Any

from ablation.targets import (
    ALIGNED,
    ARRIVALS,
    DIRECTIONS,
    LEADING,
    LEVEL,
    LOOKING,
    MEAN,
    PROBE,
    SUPPORTING_HEADS,
    SUPPORTING_UNITS,
    UNITS,
    VENHOFF,
    WARD,
    WRITING,
)

NAMES = {
    PROBE: "the probe\u2019s direction",
    WARD: "the direction of Ward et al.",
    VENHOFF: "the direction of Venhoff et al.",
    ARRIVALS: "the direction from last to first arrivals",
    ALIGNED: "aligned units",
    LEADING: "leading units",
    SUPPORTING_UNITS: "supporting units",
    WRITING: "writing heads",
    LOOKING: "looking heads",
    SUPPORTING_HEADS: "supporting heads",
}
MEANINGS = (
    "Aligned units: the value vector has the largest cosine with the probe. Leading "
    "units: at backtracks, activation times value vector writes most along the probe. "
    "Supporting units and heads: activation times gradient of the log-odds of the "
    "backtrack words is largest. Writing heads: the largest direct logit attribution "
    "to these words. Looking heads: the most attention to the sentence of the last "
    "arrival. All rankings are of the fit problems."
)
LOWERS, NOT_TOLD, NOT_CHECKED = "lowers", "not told", "not checked"


def in_words(row: dict[str, Any]) -> str:
    """What is taken away: "20 leading units at 0", "the probe's direction".

    Args:
        row: of `ABLATION_VERSIONS` or `ABLATION_EFFECTS`.
    """
    name = NAMES[row["target"]]
    if row["target"] not in DIRECTIONS:
        to = "at their mean" if row["mode"] == MEAN else "at 0"
        return f"{row['size']} {name} {to}"
    where = row["ablation"].split("/")[1]
    place = "" if where == "every" else f" at boundary {where} alone"
    return f"{name}{place}{' at its mean' if row['mode'] == MEAN else ''}"


def sets_in_words(target: str, null: str) -> str:
    """What the random sets are."""
    if target in DIRECTIONS:
        inside = " within the leading principal components" if null == "within" else ""
        return f"random vectors{inside}"
    kind = "units of the same layers" if target in UNITS else "heads"
    return f"sets of as many {kind} that write as much"


def verdict(row: dict[str, Any], is_enough: bool) -> str:
    """Whether an ablation lowers the turn probability more than random sets.

    Args:
        row: of `ABLATION_EFFECTS`.
        is_enough: whether there are enough problems for a claim.
    """
    if not is_enough or row["p_holm"] is None:
        return NOT_CHECKED
    below = row["change_high"] is not None and row["change_high"] < 0
    return LOWERS if below and row["p_holm"] <= LEVEL else NOT_TOLD
