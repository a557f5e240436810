"""The page's sentences on backtracks beside their matched controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.caveats import chosen_by_prediction
from doubletake.page.wording import listed, percent, plural, points
from logit_lens.page_parts import PART_NAMES, interval, signed
from matches.tables import DIFFERENCE, MATCHED

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NO_PAIR = (
    "Not checked against controls: no selected backtrack has its matched control here."
)


def control_sentence(data: StudyData) -> str:
    """How often a backtrack word leads at backtracks and at their controls."""
    leading = data.tables["logit_lens/leading"]
    ends = leading.filter(boundary=leading["boundary"].max())
    rows = ends.rows_by_key("kind", named=True, unique=True)
    if DIFFERENCE not in rows:
        return NO_PAIR
    matched, control, difference = (
        rows[kind] for kind in (MATCHED, "control", DIFFERENCE)
    )
    return (
        f"Over {pairs_of(difference)}, a backtrack word is the most likely token at "
        f"{percent(matched['share_leading'])} of the backtracks and at "
        f"{percent(control['share_leading'])} of the controls "
        f"({data.between(control, percent)}): a difference of "
        f"{points(difference['share_leading'])} percentage points "
        f"({data.between(difference, points)}). {_meaning(data, difference)} No "
        "control begins with a backtrack word in the text, but the model may still "
        "have expected one."
    )


def _meaning(data: StudyData, difference: dict[str, Any]) -> str:
    """What the difference says, or why it says nothing."""
    if data.settings["turns"]["predicted_only"]:
        return (
            "turns.predicted_only chose the backtracks by this very criterion: their "
            "share is 100% by construction, and only the share at controls is a "
            "finding."
        )
    return VERDICTS[more_at(difference)]


VERDICTS = {
    MATCHED: "So a backtrack word leads more often where the thought turns back.",
    "control": "So a backtrack word leads less often where the thought turns back.",
    None: "So whether it leads more often where the thought turns back is not told.",
}


def more_at(difference: dict[str, Any]) -> str | None:
    """The side of the pairs with more; None where the interval holds 0 or is missing.

    Args:
        difference: a row of the kind `difference`.
    """
    low, high = difference["low"], difference["high"]
    if low is not None and low > 0:
        return MATCHED
    return "control" if high is not None and high < 0 else None


def pair_parts_sentence(data: StudyData) -> str:
    """What the parts add to the backtrack words at backtracks, less at controls."""
    table = data.tables["logit_lens/parts"].filter(kind=DIFFERENCE, logit="centred")
    if table.is_empty():
        return ""
    rows = table.rows_by_key("part", named=True, unique=True)
    parts = [
        f"{signed(rows[part]['mean'])} ({interval(data, rows[part])}) from {name}"
        for part, name in PART_NAMES.items()
    ]
    total = sum(rows[part]["mean"] for part in PART_NAMES)
    text = (
        f"Over {pairs_of(rows['embed'])}, the logit of the backtrack words minus the "
        "mean of the vocabulary at the backtrack differs from that at the control by "
        f"{signed(total)}: {listed(parts)}. The intervals are not corrected for the "
        "number of parts."
    )
    return text + chosen_by_prediction(data)


def pairs_of(row: dict[str, Any]) -> str:
    """Number of pairs and of problems of a row of the kind `difference`."""
    return (
        f"{plural(row['positions'], 'pair')} of a backtrack and its matched control "
        f"(on {plural(row['problems'], 'problem')})"
    )


def position_cases(data: StudyData) -> str:
    """Number of backtracks and pairs in the figures by layer."""
    leading = data.tables["logit_lens/leading"].filter(boundary=0)
    rows = leading.rows_by_key("kind", named=True, unique=True)
    text = "No position"
    if "backtrack" in rows:
        row = rows["backtrack"]
        text = (
            f"{plural(row['positions'], 'backtrack')} on "
            f"{plural(row['problems'], 'problem')}; "
        )
        pairs = rows.get(DIFFERENCE)
        text += pairs_of(pairs) if pairs else "none has its matched control here"
    return f"{text}. {data.interval_note}"
