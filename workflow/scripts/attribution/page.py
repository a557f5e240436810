"""What the report says about attribution: which words make the model turn back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from attribution.agreement import CELLS, TOP
from attribution.heat_maps import heat_maps
from attribution.page_words import (
    most_important,
    overlap,
    slips,
    words_sheet,
)
from attribution.places import PARTS
from doubletake.page.sections import HeatMap, Section, Sheet
from doubletake.page.wording import NOTHING, count, listed, percent, plural, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

METRICS = {
    "difference": "the log-odds of a backtrack word against a wrap-up word",
    "target": "the raw logit of the most likely next token",
}
METHODS = {
    "gradient": "the gradient at the clean run",
    "integrated": "gradients averaged along a path (EAP-IG)",
}
KINDS = {"backtrack": "backtracks", "control": "controls", "wrap_up": "wrap-ups"}


def backtracks(data: StudyData) -> pl.DataFrame:
    """The backtracks that were looked into."""
    return data.tables["attribution/tokens"].filter(kind="backtrack")


def nothing_to_say(data: StudyData) -> str | None:
    """Why nothing can be said; None where something can."""
    if not backtracks(data).is_empty():
        return None
    found = data.tables["turns"].filter(kind="backtrack").height
    if found:
        return (
            f"None of {plural(found, 'backtrack')} of {data.model} was selected "
            "(turns of the config), so nothing can be said about the words before them."
        )
    return "No backtrack was found: there are no words before one to look at."


def headline(data: StudyData) -> str:
    """Where the important tokens stand, and whether the estimate can be trusted."""
    nothing = nothing_to_say(data)
    if nothing is not None:
        return nothing
    question, last = (_place(data, place, "token") for place in (0, PARTS))
    n = plural(backtracks(data).height, "backtrack")
    trust = _check(data, _method(data), "pearson", None)
    known = (
        "was not checked"
        if trust is None
        else f"correlates {real(trust['value'], 2)} with exact patching here"
    )
    where = [
        f"a token of {name} {real(row['value'], 2)} times"
        for name, row in (
            ("the question", question),
            ("the last fifth of the thought so far", last),
        )
        if row is not None and row["value"] is not None
    ]
    weigh = "its words could not be placed" if not where else listed(where)
    return (
        f"Before {n}, {weigh} as important as the mean token of the context, by an "
        f"estimate (attribution patching) that {known}."
    )


def findings(data: StudyData) -> list[str]:
    """How far to trust it, which words, what follows, and wrong numbers."""
    if nothing_to_say(data) is not None:
        return []
    found = [_trust(data), _own(data), most_important(data), overlap(data), slips(data)]
    return [sentence for sentence in found if sentence]


def _method(data: StudyData) -> str:
    return data.settings["attribution"]["method"]


def _one(table: pl.DataFrame, **where: Any) -> dict[str, Any] | None:
    for name, value in where.items():
        column = pl.col(name)
        table = table.filter(column.is_null() if value is None else column == value)
    return table.row(0, named=True) if table.height else None


def _place(data: StudyData, place: int, quantity: str) -> dict[str, Any] | None:
    table = data.tables["attribution/places"]
    return _one(table, kind="backtrack", place=place, quantity=quantity)


def _check(
    data: StudyData, method: str, statistic: str, layer: int | None
) -> dict[str, Any] | None:
    table = data.tables["attribution/checks"].drop_nulls("value")
    return _one(table, method=method, part="resid", statistic=statistic, layer=layer)


def _range(row: dict[str, Any], digits: int = 2) -> str:
    return f"{real(row['low'], digits)} to {real(row['high'], digits)}"


def _trust(data: StudyData) -> str:
    """Agreement with exact patching, of the other method too where it was run."""
    method = _method(data)
    row = _check(data, method, "pearson", None)
    if row is None:
        return ""
    sign, recall = (_check(data, method, name, None) for name in ("sign", "recall"))
    layers = data.tables["attribution/checks"].filter(
        method=method, part="resid", statistic="pearson"
    )
    layers = layers.drop_nulls(["layer", "value"]).sort("value")
    extremes = ""
    if layers.height > 1:
        (worst, low), (best, high) = (
            layers.select("layer", "value").row(place) for place in (0, -1)
        )
        extremes = (
            f", from {real(low, 2)} before layer {worst} to {real(high, 2)} before "
            f"layer {best}"
        )
    text = (
        f"How far to trust it: over the tokens of a position the estimate by "
        f"{METHODS[method]} correlates {real(row['value'], 2)} ({_range(row)}) with "
        f"exact mean-ablation{extremes}; it has the right sign in "
        f"{percent(sign['value'] if sign else None)} of the sampled tokens"
    )
    if recall is not None:
        text += (
            f" and finds {percent(recall['value'])} of the {TOP} largest of {CELLS} "
            f"(by chance: {percent(TOP / CELLS, 0)})"
        )
    other = next(name for name in METHODS if name != method)
    rival = _check(data, other, "pearson", None)
    if rival is not None:
        where = "here" if rival["events"] == row["events"] else "at some of these cells"
        text += (
            f". {METHODS[other][0].upper()}{METHODS[other][1:]}, {where}: correlation "
            f"{real(rival['value'], 2)} ({_range(rival)}, n\u00a0=\u00a0"
            f"{rival['events']:,} against {row['events']:,})"
        )
    return text + ". Scores of single tokens are to be read with that in mind."


def _own(data: StudyData) -> str:
    """The deciding position against the tokens before it."""
    rows = backtracks(data)
    earlier = rows.select(pl.col("mean_abs").list.mean()).to_series().mean()
    own = rows["own_mean_abs"].mean()
    if not isinstance(earlier, float) or not isinstance(own, float) or not earlier:
        return ""
    return (
        "The deciding position itself is left out of all these figures: its score, "
        f"averaged over layers, is {count(round(own / earlier))} times that of a mean "
        "earlier token."
    )


def agreement_sheet(data: StudyData) -> Sheet | None:
    """Agreement by layer of the method used."""
    table = data.tables["attribution/checks"].filter(method=_method(data), part="resid")
    rows = []
    for (layer,), part in table.group_by("layer", maintain_order=True):
        found = {row["statistic"]: row for row in part.to_dicts()}
        name = "all layers" if layer is None else f"before layer {layer}"
        cells = [
            NOTHING
            if found[key]["value"] is None
            else f"{real(found[key]['value'], 2)} ({_range(found[key])})"
            for key in ("pearson", "spearman", "sign", "recall")
        ]
        rows.append((name, *cells, count(found["sign"]["events"])))
    if not rows:
        return None
    columns = ("residual stream", "Pearson", "Spearman", "equal signs")
    return Sheet(
        "The estimate against exact mean-ablation",
        (*columns, f"top {TOP} found", "n"),
        tuple(rows),
        note=f"Means over positions (all layers: over positions and layers, n) with "
        f"{data.confidence:.0%} bootstrap intervals over problems.",
    )


def sheets(data: StudyData) -> list[Sheet]:
    """The printed tables; none without backtracks."""
    if nothing_to_say(data) is not None:
        return []
    found = [agreement_sheet(data), words_sheet(data)]
    return [sheet for sheet in found if sheet is not None]


def maps(data: StudyData) -> list[HeatMap]:
    """Heat maps of the backtracks with the largest metric."""
    return heat_maps(data, data.settings["attribution"]["heat_maps"])


def kind_cases(data: StudyData) -> str:
    """Positions behind the figures by kind."""
    tokens = data.tables["attribution/tokens"]
    if tokens.is_empty():
        return "No position was looked into."
    counts = [
        f"{count(tokens.filter(kind=kind).height)} {name}"
        for kind, name in KINDS.items()
        if tokens.filter(kind=kind).height
    ]
    metric = METRICS[data.settings["attribution"]["metric"]]
    return (
        f"{listed(counts)}; attributed is {metric}, by {METHODS[_method(data)]}. "
        f"Intervals: {data.confidence:.0%}, over problems."
    )


def place_cases(data: StudyData) -> str:
    """As `kind_cases`, with a word on the published values."""
    table = data.tables["attribution/places"]
    text = kind_cases(data)
    if table["published"].count():
        return text + (
            " Diamonds: published values of the same model and problems (ARBOR "
            "project), whose normalisation is not stated."
        )
    return text + (
        " Published values exist for one model and dataset and are drawn only there."
    )


def cell_cases(data: StudyData) -> str:
    """Cells behind the comparison."""
    row = _check(data, _method(data), "sign", None)
    if row is None:
        return "No cell was patched exactly."
    return (
        f"{plural(row['events'], 'pair')} of position and layer on "
        f"{plural(row['problems'], 'problem')}, {CELLS} tokens each where there are so "
        f"many. Intervals: {data.confidence:.0%}."
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    maps=maps,
    cases={"places": place_cases, "agreement": cell_cases, "layers": kind_cases},
)
