"""What the report says about the probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, plural, real
from doubletake.stats.contrasts import BY_NAME, CONTRASTS

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

CONTROLS = {
    "token_auroc": "the token\u2019s embedding alone",
    "position_auroc": "position and depth alone",
    "shuffled_auroc": "shuffled labels",
}


def best_rows(data: StudyData) -> list[dict[str, Any]]:
    """The most selective probe of each contrast, in the order of the contrasts."""
    probing = data.tables["probing"]
    found = []
    for contrast in CONTRASTS:
        rows = probing.filter(task=contrast.name).sort("selectivity", "layer")
        if rows.height:
            found.append(rows.row(-1, named=True))
    return found


def is_above(row: dict[str, Any]) -> bool:
    """Whether the interval of the selectivity lies above 0."""
    return row["selectivity_low"] > 0


def headline(data: StudyData) -> str:
    """Which contrasts the residual stream tells better than every control."""
    rows = best_rows(data)
    if not rows:
        return (
            "No probe was fitted: no contrast has enough problems with each of its "
            "classes."
        )
    above = [row for row in rows if is_above(row)]
    if above:
        best = max(above, key=lambda row: row["selectivity"])
        return (
            f"The residual stream tells {_words(best)} with an AUROC of "
            f"{real(best['auroc'], 3)} ({_range(best, 'auroc')}) at boundary "
            f"{best['layer']}, {real(best['selectivity'], 3)} above its best control "
            f"({_range(best, 'selectivity')}); {_tally(above, rows)}."
        )
    best = max(rows, key=lambda row: row["selectivity"])
    name, control = best_control(best)
    return (
        "No probe stands above its controls beyond its interval: the most selective "
        f"tells {_words(best)} with an AUROC of {real(best['auroc'], 3)} at boundary "
        f"{best['layer']}, and {name} {real(control, 3)}."
    )


def best_control(row: dict[str, Any]) -> tuple[str, float]:
    """The control of highest AUROC, in words, and its AUROC."""
    column = max(CONTROLS, key=lambda name: row[name])
    return CONTROLS[column], row[column]


def _control_accuracy(row: dict[str, Any]) -> float:
    return max(row[name.replace("auroc", "accuracy")] for name in CONTROLS)


def _tally(above: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    return f"{len(above)} of {plural(len(rows), 'contrast')} stand above their controls"


def _words(row: dict[str, Any]) -> str:
    contrast = BY_NAME[row["task"]]
    return f"{contrast.positive} from {contrast.negative}"


def _range(row: dict[str, Any], name: str) -> str:
    return f"{real(row[f'{name}_low'], 3)} to {real(row[f'{name}_high'], 3)}"


def findings(data: StudyData) -> list[str]:
    """One sentence per contrast, and what was left out."""
    found = []
    for row in best_rows(data):
        name, control = best_control(row)
        verdict = (
            "more than its controls tell" if is_above(row) else "not told apart from it"
        )
        found.append(
            f"{BY_NAME[row['task']].words.capitalize()}: AUROC {real(row['auroc'], 3)} "
            f"({_range(row, 'auroc')}; folds {real(row['auroc_fold_lowest'], 3)} to "
            f"{real(row['auroc_fold_highest'], 3)}) at boundary {row['layer']}; the "
            f"best control is {name} with {real(control, 3)}, selectivity "
            f"{real(row['selectivity'], 3)} ({_range(row, 'selectivity')}): {verdict}."
        )
    if found:
        found.append(
            "Mind that each boundary named is the most selective of "
            f"{data.tables['probing']['layer'].n_unique()}, a choice that its interval "
            "does not know of; accuracy may rank probe and controls otherwise (last "
            "but one column of the table, beside that of its best control)."
        )
    left_out = data.tables["probing/tasks"].drop_nulls("left_out")["left_out"].to_list()
    if left_out:
        found.append(f"Left out: {'; '.join(left_out)}.")
    return found


def sheets(data: StudyData) -> list[Sheet]:
    """Every probe with its controls."""
    probing: pl.DataFrame = data.tables["probing"]
    if probing.is_empty():
        return []
    rows = []
    for contrast in CONTRASTS:
        part = probing.filter(task=contrast.name).sort("layer")
        for place, row in enumerate(part.iter_rows(named=True)):
            cells = (
                f"{real(row['auroc'], 3)} ({_range(row, 'auroc')})",
                *(real(row[name], 3) for name in CONTROLS),
                f"{real(row['selectivity'], 3)} ({_range(row, 'selectivity')})",
                f"{real(row['accuracy'], 3)} ({real(_control_accuracy(row), 3)})",
                f"{row['strength']:g}",
            )
            rows.append(
                (contrast.words if place == 0 else "", f"{row['layer']}", *cells)
            )
    columns = (
        "contrast",
        "boundary",
        "AUROC",
        "token",
        "position",
        "shuffled",
        "selectivity",
        "accuracy",
        "C",
    )
    note = (
        "Boundary l is the input of layer l, 0 the token\u2019s embedding, the last "
        "that of the final norm. Selectivity: AUROC minus the highest of the three "
        "controls. Accuracy: mean over both classes, in parentheses the highest of the "
        "controls. C: median of the folds\u2019 "
        f"choices. Ranges: {data.confidence:.0%} intervals over problems."
    )
    return [Sheet("Every probe", columns, tuple(rows), note=note, folded=True)]


def cases_behind(data: StudyData) -> str:
    """Positions of each contrast."""
    parts = []
    for row in data.tables["probing/tasks"].iter_rows(named=True):
        contrast = BY_NAME[row["task"]]
        problems = f"{count(row['positive_problems'])} and "
        problems += plural(row["negative_problems"], "problem")
        parts.append(
            f"{contrast.words}: {count(row['positives'])} against "
            f"{count(row['negatives'])} on {problems}"
        )
    return f"{listed(parts)}. Intervals: {data.confidence:.0%}, over problems."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"auroc": cases_behind, "accuracy": cases_behind},
)
