"""Sentences on zeroed sets: effect, expected sign, rank among random sets."""

from __future__ import annotations

from typing import Any

from doubletake.page.wording import plural, probability, real, significant
from value_vectors.tables import LEVEL

SIDE_WORDS = {"for": "largest", "against": "smallest"}
EXPECTED_WORDS = {"less": "lower", "more": "raise"}


def set_name(row: dict[str, Any]) -> str:
    """`the 10 vectors of largest cosine of layer 3`."""
    return (
        f"the {plural(row['vectors'], 'vector')} of {SIDE_WORDS[row['side']]} cosine "
        f"of layer {row['layer']}"
    )


def differs(row: dict[str, Any]) -> bool:
    """Whether the set differs from random sets that write as much."""
    return row["p_holm"] <= LEVEL


def as_expected(row: dict[str, Any]) -> bool | None:
    """Whether the effect has the expected sign; None where the test cannot tell."""
    if row["expected"] is None or row["sign_p_holm"] > LEVEL:
        return None
    return (row["log_odds_change"] < 0) == (row["expected"] == "less")


def in_expected_direction(row: dict[str, Any]) -> bool:
    """Whether effect and difference from random sets both have the expected sign."""
    below = row["log_odds_change"] < row["random_middle"]
    return bool(as_expected(row)) and below == (row["expected"] == "less")


def signed(value: float) -> str:
    """Three significant digits with a sign."""
    return significant(value) if value < 0 else f"+{significant(value)}"


def change_words(row: dict[str, Any]) -> str:
    """`by +0.0445 (+0.0216 to +0.0699; 0.009 standard deviations ...)`."""
    parts = []
    if row["log_odds_change_low"] is not None:
        ends = (row["log_odds_change_low"], row["log_odds_change_high"])
        parts.append(" to ".join(map(signed, ends)))
    if row["relative_change"] is not None:
        parts.append(
            f"{real(abs(row['relative_change']), 3)} of their standard deviation over "
            "these positions"
        )
    note = f" ({'; '.join(parts)})" if parts else ""
    return f"by {signed(row['log_odds_change'])}{note}"


def zeroing_sentence(row: dict[str, Any]) -> str:
    """Effect, sign and rank of one listed set."""
    return (
        f"Zeroing {set_name(row)} changes the backtrack words\u2019 log-odds "
        f"{change_words(row)}. {_sign_words(row)}{_rank_words(row)}"
    )


def _sign_words(row: dict[str, Any]) -> str:
    """What the set writes along the direction, and whether the effect has its sign."""
    if row["expected"] is None:
        return ""
    verdict = {
        None: "; the sign cannot be told",
        True: ", and does",
        False: ", but does the opposite",
    }[as_expected(row)]
    return (
        f"At these positions, the set writes {signed(row['along'])} along the "
        "direction on average (in units of the residual stream), so zeroing it is "
        f"expected to {EXPECTED_WORDS[row['expected']]} them{verdict} (corrected "
        f"p\u00a0{probability_of(row['sign_p_holm'])}). "
    )


def _rank_words(row: dict[str, Any]) -> str:
    """Where the set lies among random sets."""
    n, p = row["random_sets"], probability_of(row["p_holm"])
    fixed = row["vectors"] - row["replaceable"]
    kept = (
        f" For {plural(fixed, 'vector')} no other unit writes as much, so every random "
        f"set has {'it' if fixed == 1 else 'them'}."
        if fixed
        else ""
    )
    verdict = "differs" if differs(row) else "is not told apart"
    return (
        f"Of {n:,} sets of random vectors that write as much, {row['as_far']:,} lie at "
        f"least as far from the median of all sets, {signed(row['random_middle'])} "
        f"(corrected p\u00a0{p}): the set {verdict} from random sets.{kept}"
    )


def probability_of(p: float) -> str:
    """`= 0.012` or `< 0.001`."""
    text = probability(p)
    return text if text.startswith("<") else f"=\u00a0{text}"
