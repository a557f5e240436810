"""The report's sentences on attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attention.page_tables import (
    SHOWN_HEADS,
    head_row,
    heads_of,
    sheets,
    why_empty,
)
from doubletake.page.caveats import chosen_by_prediction
from doubletake.page.reader import who_turns
from doubletake.page.sections import Section
from doubletake.page.wording import count, listed, percent, plural, points, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

ARRIVAL = "arrival_sentence"
BIN_NAMES = {
    "bos": "the first token",
    "question": "the question",
    "current_sentence": "the sentence that ends at the position",
}
PARTS = tuple(f"part_{k}" for k in range(1, 6))


def headline(data: StudyData) -> str:
    """Which head looks at the last arrival, and which head writes the turn?"""
    reason = why_empty(data)
    if reason is not None:
        return reason
    parts = []
    looking = _leading_head(data, ARRIVAL)
    if looking is not None:
        parts.append(
            f"{_name(looking)} sends {percent(looking['mean'])} of its attention to "
            "the sentence of the last arrival"
            f"{_beside_controls(data, looking, points, ' points')}"
        )
    writing = _leading_head(data, "dla_backtrack")
    if writing is not None:
        parts.append(
            f"{_name(writing)} adds most to the backtrack words above the mean of the "
            f"vocabulary, {real(writing['mean'], 2)} logits"
            f"{_beside_controls(data, writing, _two)}"
        )
    heads = heads_of(data, "dla_backtrack", "backtrack").height
    return (
        f"Where {who_turns(data)} is about to turn back, {listed(parts)}. Each is the "
        f"largest of {plural(heads, 'head')}; the intervals do not account for this "
        "choice."
    )


def findings(data: StudyData) -> list[str]:
    """Where layers look, what all heads add up to, and how to read the numbers."""
    if why_empty(data) is not None:
        return []
    sentences = [
        _bins_finding(data),
        _arrival_finding(data),
        _heads_finding(data),
        _raw_finding(data),
        _overlap_finding(data),
        _pairs_finding(data),
    ]
    return [sentence for sentence in sentences if sentence]


def heat_map_cases(data: StudyData) -> str:
    """Number of positions in the heat maps."""
    parts = []
    for kind in ("backtrack", "control"):
        rows = heads_of(data, "dla_backtrack", kind)
        if rows.height:
            n, problems = rows["n"][0], rows["problems"][0]
            parts.append(f"{plural(n, kind)} of {plural(problems, 'problem')}")
    return f"{listed(parts)}." if parts else "No position."


def _leading_head(data: StudyData, measure: str) -> dict[str, Any] | None:
    """The head with the largest mean at backtracks."""
    rows = heads_of(data, measure, "backtrack").filter(rank=1)
    return rows.row(0, named=True) if rows.height else None


def _beside_controls(
    data: StudyData, row: dict[str, Any], write: Any, unit: str = ""
) -> str:
    """The same measure of the same head, mean difference of the pairs, in brackets."""
    difference = head_row(data, row, row["measure"], "difference")
    if difference is None:
        return " (not compared: no backtrack has a matched control)"
    if not data.is_enough(difference["problems"]):
        reason = data.why_no_interval(difference["problems"])
        return f" (difference from the matched control {reason})"
    return (
        f" (difference from the matched control: {write(difference['mean'])}{unit}, "
        f"{data.between(difference, write)}, {plural(difference['n'], 'pair')})"
    )


def _name(row: dict[str, Any]) -> str:
    return f"head {row['head']} of layer {row['layer']}"


def _mean_over_layers(
    data: StudyData, kind: str, measure: str, *bins: str
) -> float | None:
    """Mean over layers of the sum over some bins; None without a value."""
    rows = data.tables["attention/summary"].filter(kind=kind, measure=measure)
    rows = rows.filter(rows["bin"].is_in(bins))
    if rows.is_empty():
        return None
    return float(rows["mean"].sum()) / rows["layer"].n_unique()


def _bins_finding(data: StudyData) -> str:
    """Share of attention that goes to each bin, mean over heads and layers."""
    groups = {name: (name,) for name in BIN_NAMES} | {"thought": PARTS}
    names = BIN_NAMES | {"thought": "the thought before this sentence"}
    parts = []
    for name, bins in groups.items():
        mean = _mean_over_layers(data, "backtrack", "attention", *bins)
        difference = _mean_over_layers(data, "difference", "attention", *bins)
        beside = "" if difference is None else f" ({points(difference)})"
        parts.append(f"{percent(mean)}{beside} to {names[name]}")
    return (
        "As a mean over heads and layers, attention before a backtrack goes "
        f"{listed(parts)}. In brackets: mean difference from the matched controls."
    )


def _arrival_finding(data: StudyData) -> str:
    """Attention to the last arrival, against an even spread."""
    share = _mean_over_layers(data, "backtrack", "attention", ARRIVAL)
    ratio = _mean_over_layers(data, "backtrack", "ratio", ARRIVAL)
    if share is None or ratio is None:
        return ""
    difference = _mean_over_layers(data, "difference", "ratio", ARRIVAL)
    beside = (
        ""
        if difference is None
        else f" (mean difference from the matched controls: {real(difference, 2)})"
    )
    return (
        f"The sentence of the last arrival gets {percent(share)} of attention. Per "
        f"token this is {real(ratio, 2)} times what an even spread over all tokens "
        f"would give it{beside}."
    )


def _heads_finding(data: StudyData) -> str:
    """What all heads together add to the backtrack words."""
    rows = heads_of(data, "dla_backtrack", "backtrack")
    pairs = heads_of(data, "dla_backtrack", "difference")
    total, difference = (float(part["mean"].sum()) for part in (rows, pairs))
    beside = (
        f" (mean difference from the matched controls: {_two(difference)})"
        if pairs.height
        else ""
    )
    return (
        f"All {plural(rows.height, 'head')} together add {_two(total)} logits{beside} "
        "to the backtrack words above the mean of the vocabulary, at backtracks. These "
        "numbers do not contain what the MLPs add, nor what heads do through later "
        "layers."
    )


def _raw_finding(data: StudyData) -> str:
    """What changes in the ranking of heads if the mean is not subtracted."""
    raw, centred = (
        heads_of(data, measure, "backtrack").sort("rank").head(SHOWN_HEADS)
        for measure in ("dla_backtrack_raw", "dla_backtrack")
    )
    first, leading = (rows.row(0, named=True) for rows in (raw, centred))
    shared = raw.join(centred, on=["layer", "head"], how="semi").height
    text = (
        "Raw, without subtracting the mean of the vocabulary, the ranking of heads has "
        f"{count(shared)} of its first {raw.height} in common with this one. "
    )
    same = (first["layer"], first["head"]) == (leading["layer"], leading["head"])
    if same:
        return f"{text}The same head leads, with {real(first['mean'], 2)} logits."
    part = head_row(data, first, "dla_backtrack", "backtrack")
    assert part is not None  # both rankings hold all heads
    return (
        f"{text}{_name(first).capitalize()} leads it with {real(first['mean'], 2)} "
        f"logits, of which {real(first['mean'] - part['mean'], 2)} go to every word "
        "alike."
    )


def _overlap_finding(data: StudyData) -> str:
    """How often the current sentence is the sentence of the last arrival."""
    rows = data.tables["attention/summary"].filter(
        kind="backtrack", measure="is_current"
    )
    if rows.is_empty():
        return ""
    share, backtracks = percent(rows["mean"][0]), plural(rows["n"][0], "backtrack")
    return (
        f"At {share} of {backtracks} the last arrival stands in the sentence that ends "
        "where the turn begins. At these backtracks, attention to the arrival is "
        "attention to the sentence just written."
    )


def _pairs_finding(data: StudyData) -> str:
    """Over how many pairs differences are taken, and which backtracks they lack."""
    rows = data.tables["attention/summary"].filter(measure="depth", layer=0)
    pairs = rows.filter(kind="difference")
    if pairs.is_empty():
        return "No backtrack has a matched control: nothing is compared."
    backtracks, n = rows.filter(kind="backtrack")["n"][0], pairs["n"][0]
    return (
        f"Differences are means over {plural(n, 'pair')} of a backtrack and its "
        "matched control, which stand alike. "
        f"{plural(backtracks - n, 'backtrack')} without a partner only count in the "
        f"means at backtracks.{chosen_by_prediction(data)}"
    )


def _two(value: float) -> str:
    return real(value, 2)


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "attribution": heat_map_cases,
        "arrivals": heat_map_cases,
        "bins": heat_map_cases,
    },
)
