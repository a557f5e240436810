"""Sentences that claim something of exact attribution, each with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import count, listed, percent, plural, points, real
from exact_attribution.claims import FIRST
from exact_attribution.tables import (
    CAUSE,
    DIFFERENCE,
    ESTIMATE,
    EXACT,
    GRADIENT,
    INTEGRATED,
    LATE,
    PUBLISHED,
    SCREEN,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

RANKED_BY = {
    EXACT: "by exact patching",
    ESTIMATE: "by the estimate at the same layers",
    PUBLISHED: "by the published recipe",
}


def measured(data: StudyData) -> pl.DataFrame:
    """The measured backtracks, rows of `EXACT_EVENTS`."""
    events = data.tables["exact_attribution/events"]
    return events.filter(pl.col("budget") != LATE)


def row_of(data: StudyData, table: str, **where: Any) -> dict[str, Any] | None:
    """The row of a summary with these values; None without one."""
    rows = data.tables[f"exact_attribution/{table}"]
    for name, value in where.items():
        column = pl.col(name)
        rows = rows.filter(column.is_null() if value is None else column == value)
    return rows.row(0, named=True) if rows.height else None


def holds(data: StudyData, p: float | None) -> bool:
    """Whether a claim holds after the correction for all claims of the section."""
    return p is not None and p <= 1 - data.confidence


def verdict(data: StudyData, row: dict[str, Any]) -> str:
    """Whether a share is told from chance, after the correction.

    Args:
        data: the study.
        row: of `EXACT_RECALL` or `EXACT_CAUSES`.
    """
    if row["p_holm"] is None:
        return f"chance is {data.why_no_interval(row['problems'])}"
    if not holds(data, row["p_holm"]):
        return "not told from chance"
    return f"{'more' if row['gain'] > 0 else 'less'} often than chance"


def budget_sentence(data: StudyData) -> str:
    """How many backtracks were measured, what set the limit, and how many words."""
    events, found = data.tables["exact_attribution/events"], measured(data)
    turns = data.tables["turns"].filter(pl.col("selected"), kind="backtrack").height
    late = events.height - found.height
    if late:
        limit = f"the time was over before {count(late)} more"
    elif events.height < turns:
        limit = "the config asks for no more"
    else:
        limit = "these are all"
    drawn = data.tables["exact_attribution/words"].filter(pl.col("source") != CAUSE)
    at = drawn.group_by("trace", "event").agg(drawn=pl.len())
    counted = found.join(at, on=["trace", "event"], how="left")
    is_whole = pl.col("drawn").fill_null(0) >= pl.col("context_words")
    whole = counted.filter(is_whole).height
    sample = (
        "the first words of the published ranking and a random sample of the others."
    )
    if whole == found.height:
        sample = "These are all words of their contexts but stop words."
    elif whole:
        sample = (
            f"At {plural(whole, 'backtrack')} these are all words of the context but "
            f"stop words. Elsewhere they are {sample}"
        )
    else:
        sample = f"They are {sample}"
    words = int(found["words"].sum())
    more = words - int(counted["drawn"].sum())
    causes = (
        f" {count(more)} more {'is' if more == 1 else 'are'} in a planted cause: stop "
        "words, or further occurrences."
        if more
        else ""
    )
    return (
        f"Of {plural(turns, 'selected backtrack')}, {count(found.height)} were "
        f"measured: {limit}. {plural(words - more, 'word')} were replaced exactly. "
        f"{sample}{causes}"
    )


def size_sentence(data: StudyData) -> str:
    """The strongest word against the whole context, random words and the spread."""
    first, random, whole = (
        row_of(data, "sizes", quantity=name) for name in ("first", "random", "whole")
    )
    if first is None or whole is None or first["size"] is None:
        return ""
    text = (
        "The strongest word of a backtrack changes the metric by "
        f"{real(first['size'], 2)} {unit(data)} in the mean "
        f"({data.between(first, _two, 'size')}). This is "
        f"{percent(first['of_whole'], 0)} "
        f"({data.between(first, _share, 'of_whole')}) of the change when everything "
        f"from the question on is replaced ({real(whole['size'], 2)} {unit(data)})"
    )
    if first["of_spread"] is not None:
        text += (
            f", and {real(first['of_spread'], 2)} standard deviations of the metric "
            "over all positions"
        )
    if random is not None and random["size"] is not None:
        text += f". A random other word changes it by {real(random['size'], 2)}"
    return f"{text}."


def unit(data: StudyData) -> str:
    """The unit of the metric."""
    is_logit = data.settings["attribution"]["metric"] == "target"
    return "logits" if is_logit else "nats"


def steps_sentence(data: StudyData) -> str:
    """How the agreement with the gradient changes with the step."""
    rows = data.tables["exact_attribution/steps"].filter(
        pl.col("layer").is_null(), method=GRADIENT
    )
    known = rows.drop_nulls("pearson").sort("step").to_dicts()
    if not known:
        return ""
    values = listed(
        [
            f"{real(row['pearson'], 2)} ({data.between(row, _two, 'pearson')}) at step "
            f"{row['step']:g}"
            for row in known
        ]
    )
    text = (
        "Over the words of a backtrack, the gradient\u2019s estimate correlates with "
        f"the exact change per step {values} "
        f"({plural(known[0]['events'], 'backtrack')})."
    )
    fall = row_of(data, "steps", method=DIFFERENCE)
    if fall is not None and fall["pearson"] is not None:
        text += f" {_fall(data, fall)}"
    path = row_of(data, "steps", method=INTEGRATED)
    if path is not None and path["pearson"] is not None:
        points = data.settings["exact_attribution"]["path_points"]
        text += (
            f" Gradients averaged over {plural(points, 'point')} of the word\u2019s "
            f"own path correlate {real(path['pearson'], 2)} "
            f"({data.between(path, _two, 'pearson')}) with the whole change. With many "
            "points they are the exact change, at a higher cost."
        )
    return text


def _fall(data: StudyData, row: dict[str, Any]) -> str:
    difference = f"difference {real(row['pearson'], 2)}"
    if row["p_holm"] is None:
        return f"Whether it falls is {data.why_no_interval(row['problems'])}."
    ends = data.between(row, _two, "pearson")
    if not holds(data, row["p_holm"]):
        return f"It is not told to change with the step ({difference}, {ends})."
    if row["pearson"] < 0:
        return f"It rises with the step ({difference}, {ends})."
    return (
        f"It falls with the step ({difference}, {ends}): the whole replacement is "
        "outside of the range in which the model is linear."
    )


def layers_sentence(data: StudyData) -> str:
    """Before which layers the estimate is shown to agree with the whole replacement."""
    rows = data.tables["exact_attribution/steps"].drop_nulls(["layer", "pearson"])
    if rows.is_empty():
        return ""
    checked = rows.drop_nulls("p_holm").sort("layer")
    if checked.is_empty():
        return "Whether the estimate agrees at single layers is not checked."
    agrees = (pl.col("p_holm") <= 1 - data.confidence) & (pl.col("pearson") > 0)
    parts = []
    for sentence, part in (
        ("is shown to agree", checked.filter(agrees)),
        ("is not shown to agree", checked.filter(~agrees)),
    ):
        if part.height:
            names = listed(
                [
                    f"{layer} ({real(pearson, 2)})"
                    for layer, pearson in part.select("layer", "pearson").iter_rows()
                ]
            )
            noun = "layer" if part.height == 1 else "layers"
            parts.append(f"it {sentence} before {noun} {names}")
    return (
        "Whole replacement against the estimate, layer by layer (correlation over all "
        f"measured words): {'; '.join(parts)}."
    )


def recall_sentence(data: StudyData) -> str:
    """How many of the strongest words the estimates find, against chance."""
    parts = []
    for ranking in (ESTIMATE, PUBLISHED):
        row = row_of(data, "recall", ranking=ranking, k=FIRST)
        if row is not None and row["recall"] is not None:
            parts.append(
                f"{RANKED_BY[ranking]} {percent(row['recall'], 0)} "
                f"({data.between(row, _share, 'recall')}; chance "
                f"{percent(row['chance'], 0)}; {verdict(data, row)}; "
                f"{plural(row['events'], 'backtrack')})"
            )
    if not parts:
        return ""
    return (
        f"Of the {FIRST} strongest words by exact patching, the first {FIRST} words "
        f"find: {'; '.join(parts)}."
    )


def screen_sentence(data: StudyData) -> str:
    """Whether the words chosen for exact patching hold the strongest ones."""
    row = row_of(data, "recall", ranking=SCREEN, k=FIRST)
    if row is None or row["recall"] is None:
        return ""
    top = data.settings["exact_attribution"]["top"]
    return (
        f"The first {top} words of the published ranking hold "
        f"{percent(row['recall'], 0)} ({data.between(row, _share, 'recall')}; chance "
        f"{percent(row['chance'], 0)}) of the {FIRST} strongest words of the whole "
        "context but stop words. Where random words stand for the others, this is an "
        "estimate."
    )


def causes_sentence(data: StudyData) -> str:
    """How often the planted cause is among the first words, by each ranking."""
    parts = []
    for ranking, name in RANKED_BY.items():
        row = row_of(data, "causes", cause="all", ranking=ranking, k=FIRST)
        if row is not None and row["share"] is not None:
            parts.append(
                f"{name} at {count(row['hits'])} of "
                f"{plural(row['events'], 'backtrack')}, {percent(row['share'], 0)} "
                f"({data.between(row, _share)}; chance {percent(row['chance'], 0)}; "
                f"{verdict(data, row)}{_unnamed(row)})"
            )
    if not parts:
        return ""
    text = f"A planted cause is among the first {FIRST} words {'; '.join(parts)}."
    exact = row_of(data, "causes", cause="all", ranking=EXACT, k=FIRST)
    return f"{text} {_over_estimate(data, exact)}" if exact is not None else text


def _unnamed(row: dict[str, Any]) -> str:
    """How many causes a ranking cannot name."""
    n = row["unnamed"]
    what = "it ranks no word of the cause: counted as misses"
    return f"; at {plural(n, 'backtrack')} {what}" if n else ""


def _over_estimate(data: StudyData, row: dict[str, Any]) -> str:
    """Whether exact patching finds the cause more often than the estimate."""
    if row["over_estimate_p_holm"] is None:
        why = data.why_no_interval(row["problems"])
        return f"The difference between exact patching and the estimate is {why}."
    told = "not told apart from the estimate"
    if holds(data, row["over_estimate_p_holm"]):
        more = "more" if row["over_estimate"] > 0 else "less"
        told = f"{more} often there than by the estimate"
    ends = data.between(row, points, "over_estimate")
    difference = points(row["over_estimate"])
    return f"By exact patching it is {told} ({difference} points, {ends})."


def _two(value: float) -> str:
    return real(value, 2)


def _share(value: float) -> str:
    return percent(value, 0)
