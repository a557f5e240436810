"""What the report says about the logit lens and direct logit attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, percent, plural, quoted, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SHOWN_WORDS = 4
PARTS = {"attn_out": "attention", "mlp_out": "MLP"}
SHARES = ("embed", "attn_out", "mlp_out")


def back_of(data: StudyData) -> pl.DataFrame:
    """The backtracks of the study, all of them."""
    return data.tables["turns"].filter(kind="backtrack")


def nothing_to_say(data: StudyData) -> str | None:
    """Why nothing can be said; None where something can."""
    back = back_of(data)
    if back.is_empty():
        return "No backtrack was found: there is no position to look at."
    if not back["selected"].any():
        return (
            f"None of {plural(back.height, 'backtrack')} was selected: at none of them "
            "is a backtrack word the most likely token (turns.predicted_only)."
        )
    return None


def headline(data: StudyData) -> str:
    """Where the word appears, and which part writes it."""
    nothing = nothing_to_say(data)
    if nothing is not None:
        return nothing
    first = data.tables["logit_lens/first"].filter(kind="backtrack")
    n = int(first["positions"][0])
    place = first.sort("first", descending=True).row(0, named=True)
    last = max(first["layer"].to_list())
    share = percent(place["first"] / n)
    return (
        f"At {share} of {plural(n, 'backtrack')} a backtrack word is first the most "
        f"likely token at boundary {place['layer']} of {last}; "
        f"{_largest_part(data)}."
    )


def _contrasts(data: StudyData) -> pl.DataFrame:
    """Backtrack minus wrap-up words by component and layer, at backtracks."""
    rows = data.tables["logit_lens/summary"].filter(
        pl.col("component").is_in(SHARES), kind="backtrack"
    )
    wide = rows.pivot("group", index=["component", "layer"], values="mean")
    return wide.with_columns(contrast=pl.col("backtrack") - pl.col("wrap_up"))


def _largest_part(data: StudyData) -> str:
    best = _contrasts(data).sort("contrast").row(-1, named=True)
    names = {"embed": "the embedding"}
    name = names.get(
        best["component"],
        f"the {PARTS.get(best['component'])} of layer {best['layer']}",
    )
    return (
        f"most in favour of turning back, against wrapping up, is {name} "
        f"({_signed(best['contrast'])} in the logits\u2019 difference)"
    )


def findings(data: StudyData) -> list[str]:
    """What the filter keeps, what the parts add, what controls do."""
    if nothing_to_say(data) is not None:
        return []
    return [_filtered(data), _totals(data), _controls(data), _words(data)]


def _filtered(data: StudyData) -> str:
    first = back_of(data).filter(ordinal=1)
    hits = int(first["is_word"].sum())
    return (
        f"The model\u2019s most likely token is a backtrack word at {count(hits)} of "
        f"{plural(first.height, 'first backtrack')} "
        f"({percent(hits / first.height)}; a published run of "
        "DeepSeek-R1-Distill-Llama-8B on GSM8K kept about 40%)."
    )


def _totals(data: StudyData) -> str:
    totals = _contrasts(data).group_by("component").agg(pl.col("contrast").sum())
    by_name = dict(totals.iter_rows())
    parts = [
        f"{_signed(by_name[name])} from {text}"
        for name, text in (
            ("embed", "the embedding"),
            ("attn_out", "attention"),
            ("mlp_out", "the MLPs"),
        )
    ]
    return (
        "Backtrack words stand above wrap-up words by "
        f"{_signed(sum(by_name.values()))} in the mean logit at backtracks: "
        f"{listed(parts)}."
    )


def _controls(data: StudyData) -> str:
    first = data.tables["logit_lens/first"]
    control = first.filter(kind="control").sort("layer")
    if control.is_empty():
        return "There is no control position to compare with."
    row = control.row(-1, named=True)
    return (
        f"At {plural(row['positions'], 'control')} a backtrack word is the most likely "
        f"token in {percent(row['top'])}."
    )


def _words(data: StudyData) -> str:
    words = data.tables["turns/words"]
    parts = []
    for group, name in (("backtrack", "backtrack"), ("wrap_up", "wrap-up")):
        texts = words.filter(group=group)["text"].to_list()
        parts.append(f"{name} words {', '.join(quoted(text) for text in texts)}")
    return f"Target tokens: {'; '.join(parts)}."


def _signed(value: float) -> str:
    text = real(value, 2)
    return text if text.startswith("\u2212") else f"+{text}"


def sheets(data: StudyData) -> list[Sheet]:
    """The most likely tokens at each boundary."""
    words = data.tables["logit_lens/words"].filter(kind="backtrack")
    if words.is_empty():
        return []
    rows = []
    for (layer,), part in words.group_by("layer", maintain_order=True):
        shown = part.head(SHOWN_WORDS).iter_rows(named=True)
        cells = [f"{quoted(row['text'])} {percent(_share(row), 0)}" for row in shown]
        filled = (*cells, *[""] * (SHOWN_WORDS - len(cells)))
        rows.append((f"{layer}", *filled))
    return [
        Sheet(
            "What the residual stream would say at backtracks",
            ("boundary", "most often first", "second", "third", "fourth"),
            tuple(rows),
            tuple(range(SHOWN_WORDS + 1)),
            "Tokens by the share of positions at which they are the most likely one "
            "in the logit lens; boundary 0 is the embedding of the token just read. "
            "All of them, with how often they are among the top ones, are in "
            "logit_lens/words.parquet.",
        )
    ]


def _share(row: dict) -> float:
    return row["first"] / row["positions"]


def positions_behind(data: StudyData) -> str:
    """Positions behind the figures by layer."""
    summary = data.tables["logit_lens/summary"].filter(component="resid", layer=0)
    rows = summary.filter(group="backtrack").select("kind", "positions", "problems")
    parts = [
        f"{plural(n, kind.replace('_', '-'))} on {plural(problems, 'problem')}"
        for kind, n, problems in rows.iter_rows()
    ]
    return f"{listed(parts) or 'No position'}. Intervals: {data.confidence:.0%}."


def words_behind(data: StudyData) -> str:
    """First backtracks behind the figure of words."""
    n = back_of(data).filter(ordinal=1).height
    return f"{plural(n, 'first backtrack')}, before any filter."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "layers": positions_behind,
        "first": positions_behind,
        "words": words_behind,
    },
)
