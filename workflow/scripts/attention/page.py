"""What the report says about attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import NOTHING, listed, percent, plural, real

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

SHOWN_HEADS = 6
ARRIVAL = "arrival_sentence"
BIN_WORDS = {
    "bos": "the first token",
    "question": "the question",
    "own_sentence": "the sentence at whose end it stands",
}
PARTS = tuple(f"part_{k}" for k in range(1, 6))


def nothing_to_say(data: StudyData) -> str | None:
    """Why nothing can be said about attention; None where something can."""
    if not data.tables["attention/heads"].filter(kind="backtrack").is_empty():
        return None
    found = data.tables["turns"].filter(kind="backtrack")
    if found.is_empty():
        return f"No backtrack was found in the thoughts of {data.model}."
    return (
        f"None of {plural(found.height, 'backtrack')} of {data.model} was looked into: "
        "the filter of the section `turns` of the config left none."
    )


def headline(data: StudyData) -> str:
    """Which head looks at the last arrival, and which writes the turn?"""
    nothing = nothing_to_say(data)
    if nothing is not None:
        return nothing
    parts = []
    looks = _leader(data, ARRIVAL)
    if looks is not None:
        parts.append(
            f"{_name(looks)} sends {percent(looks['mean'])} of its attention to the "
            "sentence of the last arrival" + _beside(data, looks, percent)
        )
    writes = _leader(data, "dla_backtrack")
    if writes is not None:
        parts.append(
            f"{_name(writes)} adds most to the words that turn back, "
            f"{real(writes['mean'], 2)} logits{_beside(data, writes, _two)}"
        )
    return f"Where {data.model} is about to turn back, {listed(parts)}."


def findings(data: StudyData) -> list[str]:
    """Where layers look, what all heads add up to, and what to mind."""
    if nothing_to_say(data) is not None:
        return []
    found = [_by_bins(data), _per_token(data), _written(data)]
    found += [_own(data), _matching(data)]
    return [sentence for sentence in found if sentence]


def sheets(data: StudyData) -> list[Sheet]:
    """The heads that lead each ranking."""
    if nothing_to_say(data) is not None:
        return []
    found = [
        _ranking(
            data,
            ARRIVAL,
            "Heads that look at the last arrival",
            percent,
            "Share of attention to the sentence of the last arrival. Times even: that "
            "share over the sentence\u2019s share of the tokens that the head sees, at "
            "backtracks.",
            {"times even": ("arrival_ratio", _one)},
        ),
        _ranking(
            data,
            "dla_backtrack",
            "Heads that write the turn",
            _three,
            "Direct logit attribution to the mean logit of the backtrack words; the "
            "last two columns at backtracks too.",
            {
                "wrap-up words": ("dla_wrap_up", _three),
                "backtrack \u2212 wrap-up": ("dla_difference", _three),
            },
        ),
    ]
    return [sheet for sheet in found if sheet.rows]


def _ranking(
    data: StudyData,
    figure: str,
    title: str,
    write: Any,
    note: str,
    more: dict[str, tuple[str, Any]],
) -> Sheet:
    """The first heads of a ranking at backtracks, with further figures."""
    heads = data.tables["attention/heads"]
    mine = heads.filter(figure=figure, kind="backtrack").sort("rank")
    total = mine.height
    rows = []
    for row in mine.head(SHOWN_HEADS).iter_rows(named=True):
        control = _same(heads, row, figure, "control")
        difference = _same(heads, row, figure, "difference")
        cells = [f"layer {row['layer']}, head {row['head']}", _with_ends(row, write)]
        cells += [_with_ends(part, write) for part in (control, difference)]
        for name, form in more.values():
            other = _same(heads, row, name, "backtrack")
            cells.append(NOTHING if other is None else form(other["mean"]))
        rows.append(tuple(cells))
    columns = ("head", "at backtracks", "at controls", "difference", *more)
    return Sheet(
        title,
        columns,
        tuple(rows),
        note=f"{note} The first {min(SHOWN_HEADS, total)} of {plural(total, 'head')}, "
        f"by their mean at backtracks; in brackets {data.confidence:.0%} intervals "
        "over problems. The difference is taken within problems that have both.",
    )


def heat_map_cases(data: StudyData) -> str:
    """Positions behind the heat maps."""
    heads = data.tables["attention/heads"]
    parts = []
    for kind, name in (("backtrack", "backtrack"), ("control", "control")):
        rows = heads.filter(figure="dla_backtrack", kind=kind)
        if rows.height:
            n, problems = rows["n"][0], rows["problems"][0]
            parts.append(f"{plural(n, name)} of {plural(problems, 'problem')}")
    return f"{listed(parts)}." if parts else "No position."


def arrival_cases(data: StudyData) -> str:
    """As `heat_map_cases`, and the controls without an arrival before them."""
    heads = data.tables["attention/heads"].filter(kind="control")
    counts = [heads.filter(figure=name)["n"] for name in ("dla_backtrack", ARRIVAL)]
    every, with_arrival = (int(n[0]) if len(n) else 0 for n in counts)
    text = heat_map_cases(data)
    if every > with_arrival:
        left = plural(every - with_arrival, "control")
        text += f" {left} before the first arrival left out."
    return text


def _leader(data: StudyData, figure: str) -> dict[str, Any] | None:
    """The head with the largest mean at backtracks."""
    heads = data.tables["attention/heads"]
    rows = heads.filter(figure=figure, kind="backtrack", rank=1)
    return rows.row(0, named=True) if rows.height else None


def _same(
    heads: pl.DataFrame, row: dict[str, Any], figure: str, kind: str
) -> dict[str, Any] | None:
    """Another figure of the same head."""
    place = {"layer": row["layer"], "head": row["head"]}
    found = heads.filter(figure=figure, kind=kind, **place)
    return found.row(0, named=True) if found.height else None


def _beside(data: StudyData, row: dict[str, Any], write: Any) -> str:
    """The same head at controls."""
    heads = data.tables["attention/heads"]
    control = _same(heads, row, row["figure"], "control")
    return "" if control is None else f" ({write(control['mean'])} at controls)"


def _name(row: dict[str, Any]) -> str:
    return f"head {row['head']} of layer {row['layer']}"


def _with_ends(row: dict[str, Any] | None, write: Any) -> str:
    if row is None:
        return NOTHING
    return f"{write(row['mean'])} ({write(row['low'])} to {write(row['high'])})"


def _layer_mean(data: StudyData, kind: str, measure: str, *names: str) -> float | None:
    """Mean over layers of what goes to some bins together; None without a value."""
    rows = data.tables["attention/summary"].filter(kind=kind, measure=measure)
    rows = rows.filter(rows["bin"].is_in(names))
    if rows.is_empty():
        return None
    return float(rows["mean"].sum()) / rows["layer"].n_unique()


def _by_bins(data: StudyData) -> str:
    """Where attention goes, heads and layers averaged."""
    groups = {name: (name,) for name in BIN_WORDS} | {"thought": PARTS}
    words = BIN_WORDS | {"thought": "the thought before that sentence"}
    parts = []
    for name, bins in groups.items():
        mean = _layer_mean(data, "backtrack", "attention", *bins)
        control = _layer_mean(data, "control", "attention", *bins)
        beside = "" if control is None else f" ({percent(control)} at controls)"
        parts.append(f"{percent(mean)}{beside} to {words[name]}")
    return (
        f"Heads and layers averaged, attention before a backtrack goes {listed(parts)}."
    )


def _per_token(data: StudyData) -> str:
    """Attention to the last arrival, against an even spread."""
    share = _layer_mean(data, "backtrack", "attention", ARRIVAL)
    ratio = _layer_mean(data, "backtrack", "ratio", ARRIVAL)
    if share is None or ratio is None:
        return ""
    control = _layer_mean(data, "control", "ratio", ARRIVAL)
    beside = "" if control is None else f", {real(control, 2)} times at controls"
    return (
        f"The sentence of the last arrival gets {percent(share)}: per token "
        f"{real(ratio, 2)} times what an even spread over all tokens would give it"
        f"{beside}."
    )


def _written(data: StudyData) -> str:
    """What all heads add to the backtrack words."""
    heads = data.tables["attention/heads"].filter(figure="dla_backtrack")
    sums = []
    for kind in ("backtrack", "control"):
        rows = heads.filter(kind=kind)
        if rows.height:
            total = real(float(rows["mean"].sum()), 2)
            sums.append(f"{total} logits at {kind}s")
    count = heads.filter(kind="backtrack").height
    return (
        f"All {plural(count, 'head')} together add {listed(sums)} to the words that "
        "turn back, as means; what the MLPs add, and what heads do through later "
        "layers, is not in these figures."
    )


def _own(data: StudyData) -> str:
    """How often the last arrival's sentence is the one before the turn."""
    rows = data.tables["attention/summary"].filter(kind="backtrack", measure="is_own")
    if rows.is_empty():
        return ""
    share, backtracks = percent(rows["mean"][0]), plural(rows["n"][0], "backtrack")
    return (
        f"Mind that in {share} of {backtracks} the last arrival stands in the very "
        "sentence that ends where the turn begins: there, attention to the arrival is "
        "attention to what was just written."
    )


def _matching(data: StudyData) -> str:
    """Whether controls stand as deep as the backtracks they are compared with."""
    rows = data.tables["attention/summary"].filter(measure="depth", layer=0)
    depths = {
        kind: real(rows.filter(kind=kind)["mean"][0], 0)
        for kind in ("backtrack", "control")
        if not rows.filter(kind=kind).is_empty()
    }
    if "control" not in depths:
        return "There is no control to compare with."
    return (
        "Controls are the nearest other sentence starts of the same thoughts: "
        f"backtracks stand {depths['backtrack']} tokens deep on average, controls "
        f"{depths['control']}."
    )


def _one(value: float) -> str:
    return real(value, 1)


def _two(value: float) -> str:
    return real(value, 2)


def _three(value: float) -> str:
    return real(value, 3)


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "attribution": heat_map_cases,
        "arrivals": arrival_cases,
        "bins": heat_map_cases,
    },
)
