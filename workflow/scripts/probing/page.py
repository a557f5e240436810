"""Section of the page: what the linear probes found, beside their controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, plural, real
from doubletake.stats.contrasts import CONTRAST_BY_NAME, CONTRASTS

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

CONTROLS = {
    "token_auroc": "the token\u2019s embedding alone",
    "depth_auroc": "position and depth alone",
    "shuffled_auroc": "shuffled labels (each pair\u2019s swapped or kept at random)",
}


def most_selective_rows(data: StudyData) -> list[dict[str, Any]]:
    """The most selective probe of each contrast, in the order of the contrasts."""
    probing = data.tables["probing"]
    best_rows = []
    for contrast in CONTRASTS:
        rows = probing.filter(contrast=contrast.name).sort("selectivity", "boundary")
        if rows.height:
            best_rows.append(rows.row(-1, named=True))
    return best_rows


def is_above_controls(row: dict[str, Any]) -> bool:
    """Whether the selectivity is above 0, also as the best of all boundaries.

    False without an interval.
    """
    low = row["selectivity_low_of_all"]
    return low is not None and low > 0


def headline(data: StudyData) -> str:
    """Which contrasts the residual stream tells better than every control."""
    rows = most_selective_rows(data)
    if not rows:
        return (
            "Not checked: no contrast has enough problems with matched pairs, so no "
            "probe was fitted."
        )
    checked = [row for row in rows if row["selectivity_low"] is not None]
    if not checked:
        return (
            "Not checked: no probe has an interval of (AUROC - best control). "
            f"{data.interval_note}"
        )
    above = [row for row in rows if is_above_controls(row)]
    if above:
        best = max(above, key=lambda row: row["selectivity"])
        return (
            f"The residual stream tells {_classes(best)} with an AUROC of "
            f"{real(best['auroc'], 3)} ({_range(data, best, 'auroc')}) at boundary "
            f"{best['boundary']}, {real(best['selectivity'], 3)} above its best "
            f"control ({_range(data, best, 'selectivity')}); {_tally(above, rows)}."
        )
    best = max(checked, key=lambda row: row["selectivity"])
    name, control = best_control(best)
    return (
        "No probe is clearly better than its controls: no (AUROC - best control) is "
        "above 0, given the number of boundaries and contrasts. The most selective "
        f"probe tells {_classes(best)} with an AUROC of {real(best['auroc'], 3)} at "
        f"boundary {best['boundary']}; its best control, {name}, has "
        f"{real(control, 3)}{_not_checked(rows)}."
    )


def best_control(row: dict[str, Any]) -> tuple[str, float]:
    """The control of highest AUROC, in words, and its AUROC."""
    column = max(CONTROLS, key=lambda name: row[name])
    return CONTROLS[column], row[column]


def _best_control_accuracy(row: dict[str, Any]) -> float:
    return max(row[name.replace("auroc", "accuracy")] for name in CONTROLS)


def _tally(above: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    text = f"{len(above)} of {plural(len(rows), 'contrast')} are above their controls"
    return f"{text}{_not_checked(rows)}"


def _not_checked(rows: list[dict[str, Any]]) -> str:
    """How many contrasts have no interval of their selectivity."""
    n = sum(row["selectivity_low"] is None for row in rows)
    return f"; {plural(n, 'contrast')} not checked" if n else ""


def _classes(row: dict[str, Any]) -> str:
    contrast = CONTRAST_BY_NAME[row["contrast"]]
    return f"{contrast.positive} from {contrast.negative}"


def _range(data: StudyData, row: dict[str, Any], name: str) -> str:
    return data.between(row, lambda value: real(value, 3), name)


def _with_range(data: StudyData, row: dict[str, Any], name: str) -> str:
    return f"{real(row[name], 3)} ({_range(data, row, name)})"


def turning(data: StudyData) -> str:
    """What the residual stream tells of turning back: backtracks against controls."""
    rows = [
        r for r in most_selective_rows(data) if r["contrast"] == "backtrack_control"
    ]
    if not rows:
        return "Not checked: too few problems have matched backtracks and controls."
    row = rows[0]
    name, control = best_control(row)
    return (
        "A linear probe tells backtracks from matched controls with an AUROC of "
        f"{_with_range(data, row, 'auroc')} at boundary {row['boundary']}, its best "
        f"control ({name}) with {real(control, 3)}: {_verdict(row)}, which shows what "
        "goes with turning back and not what causes it."
    )


def findings(data: StudyData) -> list[str]:
    """One sentence per contrast, and what was left out."""
    sentences = [_contrast_sentence(data, row) for row in most_selective_rows(data)]
    if sentences:
        boundaries = data.tables["probing"]["boundary"].n_unique()
        sentences.append(
            f"Each boundary named here is the most selective of {boundaries}. The "
            "intervals do not account for this choice. The words above its controls "
            "do: the low end of the selectivity that holds for all boundaries and all "
            "contrasts at once is above 0. Accuracy may rank probe and "
            "controls in another order: see the column accuracy of the table, which "
            "also gives the accuracy of the best control."
        )
    left_out = data.tables["probing/contrasts"].drop_nulls("left_out")
    if left_out.height:
        reasons = "; ".join(left_out["left_out"].to_list())
        sentences.append(f"Not checked: {reasons}.")
    return sentences


def _contrast_sentence(data: StudyData, row: dict[str, Any]) -> str:
    """The most selective probe of a contrast, and whether it exceeds its controls."""
    name, control = best_control(row)
    return (
        f"{CONTRAST_BY_NAME[row['contrast']].description.capitalize()}: AUROC "
        f"{real(row['auroc'], 3)} ({_range(data, row, 'auroc')}; folds "
        f"{real(row['auroc_fold_lowest'], 3)} to {real(row['auroc_fold_highest'], 3)}) "
        f"at boundary {row['boundary']}. The best control is {name} with "
        f"{real(control, 3)}. Selectivity {_with_range(data, row, 'selectivity')}: "
        f"{_verdict(row)}."
    )


def _verdict(row: dict[str, Any]) -> str:
    if is_above_controls(row):
        return "above its controls"
    if row["selectivity_low"] is None:
        return "not compared with its controls"
    return "not distinguishable from its best control"


COLUMNS = (
    "contrast",
    "boundary",
    "AUROC",
    "token",
    "depth",
    "shuffled",
    "selectivity",
    "accuracy",
    "C",
)


def sheets(data: StudyData) -> list[Sheet]:
    """Every probe with its controls."""
    probing: pl.DataFrame = data.tables["probing"]
    if probing.is_empty():
        return []
    rows = []
    for contrast in CONTRASTS:
        part = probing.filter(contrast=contrast.name).sort("boundary")
        for number, row in enumerate(part.iter_rows(named=True)):
            label = contrast.description if number == 0 else ""
            rows.append((label, *_cells(data, row)))
    note = (
        "Boundary l is the input of layer l: 0 is the token\u2019s embedding, the last "
        "boundary is the input of the final norm. Token, depth and shuffled: AUROC of "
        "the controls. Shuffled: each pair\u2019s labels are swapped or kept at "
        "random. Selectivity: AUROC minus the highest AUROC of the three "
        "controls. Accuracy: mean of the shares of both classes; in parentheses the "
        "highest accuracy of the controls. C: median of the folds\u2019 choices. "
        f"{data.interval_note}"
    )
    return [Sheet("Every probe", COLUMNS, tuple(rows), note=note, folded=True)]


def _cells(data: StudyData, row: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table of every probe, without the contrast."""
    return (
        f"{row['boundary']}",
        _with_range(data, row, "auroc"),
        *(real(row[name], 3) for name in CONTROLS),
        _with_range(data, row, "selectivity"),
        f"{real(row['accuracy'], 3)} ({real(_best_control_accuracy(row), 3)})",
        f"{row['strength']:g}",
    )


def cases_behind(data: StudyData) -> str:
    """Positions and problems of each contrast."""
    parts = []
    for row in data.tables["probing/contrasts"].iter_rows(named=True):
        contrast = CONTRAST_BY_NAME[row["contrast"]]
        problems = f"{count(row['positive_problems'])} and "
        problems += plural(row["negative_problems"], "problem")
        parts.append(
            f"{contrast.description}: {count(row['positives'])} against "
            f"{count(row['negatives'])} on {problems}"
        )
    return f"{listed(parts)}. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"auroc": cases_behind, "accuracy": cases_behind},
)
