"""What the tests of resampling say, in words."""

from typing import Any

Row = dict[str, Any]


def predicts(row: Row, confidence: float) -> str:
    """Whether a score predicts the rate among boundaries of a kind.

    Args:
        row: of `RESAMPLING_PREDICTION`, with `p_holm`.
        confidence: of the study's intervals.
    """
    if row["p_holm"] is None:
        return "not checked"
    if row["p_holm"] > 1 - confidence:
        return "not shown"
    return "shown" if row["spearman"] > 0 else "shown to be reversed"


def differs(row: Row, confidence: float) -> str:
    """How the importance of a kind differs from other sentences.

    Args:
        row: of `RESAMPLING_IMPORTANCE`, with `difference`.
        confidence: of the study's intervals.
    """
    if row["p_holm"] is None:
        return "not checked"
    if row["p_holm"] > 1 - confidence:
        return "not told apart"
    return "higher" if row["difference"] > 0 else "lower"
