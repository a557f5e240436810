"""What the page says of the probes behind two rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.wording import plural

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PLACES = {"correctness_probe": "arrivals", "lynx": "cues"}
"""Where the probe of each rule reads the model's state."""


def probes(data: StudyData) -> str:
    """Whether each probe tells right from wrong answers of problems it has not seen."""
    rows = data.tables["exit_probes/quality"]
    rows = rows.filter(rows["trained_on"].is_null() & rows["auroc"].is_not_null())
    return " ".join(_probe(data, row) for row in rows.iter_rows(named=True))


def _probe(data: StudyData, row: dict[str, Any]) -> str:
    low = row["auroc_low"]
    shown = row | {"problems": row["tested_problems"]}
    interval = data.between(shown, lambda value: f"{value:.2f}", "auroc")
    tells = "is not checked for telling right from wrong answers"
    if low is not None:
        tells = "tells" if low > 0.5 else "is not shown to tell"
        tells += " right from wrong answers"
    shuffled = row["shuffled_auroc"]
    control = "" if shuffled is None else f"; with shuffled labels {shuffled:.2f}"
    return (
        f"On problems that it has not seen, the probe of {row['rule']} at "
        f"{PLACES[row['rule']]} {tells}: AUROC {row['auroc']:.2f} ({interval}; "
        f"{plural(row['tested'], 'point')} of "
        f"{plural(row['tested_problems'], 'problem')}{control})."
    )
