"""The report's sentences and tables on the logit lens and direct logit attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, percent, plural, quoted, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SHOWN_WORDS = 4
PART_NAMES = {"attn_out": "attention", "mlp_out": "MLP"}
SHARES = ("embed", "attn_out", "mlp_out")


def backtracks_of(data: StudyData) -> pl.DataFrame:
    """All backtracks of the study."""
    return data.tables["turns"].filter(kind="backtrack")


def why_empty(data: StudyData) -> str | None:
    """Why the section is empty; None where it is not."""
    backtracks = backtracks_of(data)
    if backtracks.is_empty():
        return "No backtrack was found: there is no position to look at."
    if not backtracks["selected"].any():
        return (
            f"None of {plural(backtracks.height, 'backtrack')} was selected: "
            "turns.predicted_only keeps only backtracks at which a backtrack word is "
            "the most likely token."
        )
    return None


def headline(data: StudyData) -> str:
    """At which boundary the word appears, and which part writes it."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    first = data.tables["logit_lens/first"].filter(kind="backtrack")
    n = int(first["positions"][0])
    peak = first.sort("first_leading", descending=True).row(0, named=True)
    last = max(first["boundary"].to_list())
    share = percent(peak["first_leading"] / n)
    return (
        f"At {share} of {plural(n, 'backtrack')} a backtrack word becomes the most "
        f"likely token for the first time at boundary {peak['boundary']} of {last}; "
        f"{_largest_part(data)}."
    )


def _contrasts(data: StudyData) -> pl.DataFrame:
    """Mean logit of backtrack minus wrap-up words, by part and layer, at backtracks."""
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
        f"the {PART_NAMES.get(best['component'])} of layer {best['layer']}",
    )
    return (
        f"{name} adds most to backtrack words relative to wrap-up words "
        f"({_signed(best['contrast'])} in the difference of the logits)"
    )


def findings(data: StudyData) -> list[str]:
    """What passes the filter, what the parts add, what happens at controls."""
    if why_empty(data) is not None:
        return []
    return [
        _filter_finding(data),
        _parts_finding(data),
        _control_finding(data),
        _target_tokens(data),
    ]


def _filter_finding(data: StudyData) -> str:
    first = backtracks_of(data).filter(ordinal=1)
    hits = int(first["is_word"].sum())
    return (
        f"The model\u2019s most likely token is a backtrack word at {count(hits)} of "
        f"{plural(first.height, 'first backtrack')} "
        f"({percent(hits / first.height)}; in a published run of "
        "DeepSeek-R1-Distill-Llama-8B on GSM8K it was about 40%, white space "
        "included). White space is left out here: it does not say whether the "
        "sentence turns back."
    )


def _parts_finding(data: StudyData) -> str:
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
        "At backtracks the mean logit of backtrack words minus that of wrap-up words "
        f"is {_signed(sum(by_name.values()))}: {listed(parts)}."
    )


def _control_finding(data: StudyData) -> str:
    first = data.tables["logit_lens/first"]
    control = first.filter(kind="control").sort("boundary")
    if control.is_empty():
        return "There is no control position to compare with."
    row = control.row(-1, named=True)
    return (
        f"At {percent(row['share_leading'])} of {plural(row['positions'], 'control')} "
        "a backtrack word is the most likely token."
    )


def _target_tokens(data: StudyData) -> str:
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
    """The table of the most likely tokens at each boundary."""
    words = data.tables["logit_lens/words"].filter(kind="backtrack")
    if words.is_empty():
        return []
    rows = []
    for (boundary,), part in words.group_by("boundary", maintain_order=True):
        shown = part.head(SHOWN_WORDS).iter_rows(named=True)
        cells = [f"{quoted(row['text'])} {percent(_share(row), 0)}" for row in shown]
        filled = (*cells, *[""] * (SHOWN_WORDS - len(cells)))
        rows.append((f"{boundary}", *filled))
    return [
        Sheet(
            "Most likely tokens of the residual stream at backtracks",
            ("boundary", "most frequent", "second", "third", "fourth"),
            tuple(rows),
            tuple(range(SHOWN_WORDS + 1)),
            "Tokens with the share of positions at which each is the most likely token "
            "of the logit lens. Boundary 0 is the embedding of the token just read. "
            "More tokens, with how often each is among the most likely ones, are in "
            "logit_lens/words.parquet.",
        )
    ]


def _share(row: dict) -> float:
    return row["leading"] / row["positions"]


def position_cases(data: StudyData) -> str:
    """Number of positions in the figures by layer."""
    summary = data.tables["logit_lens/summary"].filter(component="resid", layer=0)
    rows = summary.filter(group="backtrack").select("kind", "positions", "problems")
    parts = [
        f"{plural(n, kind.replace('_', '-'))} on {plural(problems, 'problem')}"
        for kind, n, problems in rows.iter_rows()
    ]
    return f"{listed(parts) or 'No position'}. {data.interval_note}"


def word_cases(data: StudyData) -> str:
    """Number of first backtracks in the figure of words."""
    n = backtracks_of(data).filter(ordinal=1).height
    return f"{plural(n, 'first backtrack')}, before any filter."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "layers": position_cases,
        "first": position_cases,
        "words": word_cases,
    },
)
