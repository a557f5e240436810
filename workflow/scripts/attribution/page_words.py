"""What the report says about the words before a backtrack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, listed, percent, plural, points, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SHOWN_WORDS = 12


def _top_words(data: StudyData) -> pl.DataFrame:
    """Words by how often they are among the most important at backtracks."""
    top = data.settings["attribution"]["top_words"]
    return (
        data.tables["attribution/words"]
        .filter(kind="backtrack")
        .group_by("word")
        .agg(
            first=(pl.col("rank") == 1).sum(),
            top=(pl.col("rank") <= top).sum(),
            contexts=pl.len(),
            rank=pl.col("rank").median(),
            against=(pl.col("strongest") > 0).mean(),
        )
        .sort(["first", "top", "word"], descending=[True, True, False])
    )


def most_important(data: StudyData) -> str:
    """Which words are most often the most important of their context."""
    words = _top_words(data).filter(pl.col("first") > 0).head(5)
    if words.is_empty():
        return ""
    named = [
        f"\u201c{word}\u201d ({count(n)})"
        for word, n in words.select("word", "first").iter_rows()
    ]
    return (
        f"Most often the most important word of its context: {listed(named)}. Left out "
        "are the stop words of the list "
        f"{data.settings['attribution']['stop_words']}."
    )


def overlap(data: StudyData) -> str:
    """How many important words occur further on, against matched words."""
    table = data.tables["attribution/overlap"].filter(kind="backtrack")
    rows = {row["words"]: row for row in table.to_dicts() if row["value"] is not None}
    if len(rows) < 3:
        return ""
    settings = data.settings["attribution"]
    important, matched, gap = (
        rows[name] for name in ("important", "matched", "difference")
    )
    published = important["published"]
    told = "" if published is None else f" (published: {percent(published, 0)})"
    return (
        f"Of the {settings['top_words']} most important words before a backtrack "
        f"{percent(important['value'])}{told} occur in the next "
        f"{settings['next_words']} words of the thought; of other words of the same "
        f"context and frequency {percent(matched['value'])}. The difference is "
        f"{points(gap['value'])} points ({points(gap['low'])} to "
        f"{points(gap['high'])}, n\u00a0=\u00a0{gap['events']:,})."
    )


def slips(data: StudyData) -> str:
    """Whether a wrong number is among the important words."""
    ranks = data.tables["attribution/slip_ranks"].drop_nulls("share").sort("top")
    if ranks.is_empty():
        return "No backtrack that was looked into follows a false equation."
    parts = [
        f"{_among(row['top'])} in {count(row['hits'])} "
        f"({percent(row['low'], 0)} to {percent(row['high'], 0)}; a random order: "
        f"{percent(row['chance'], 0)})"
        for row in ranks.to_dicts()
    ]
    return (
        f"Before {plural(ranks['events'][0], 'backtrack')} stands a false equation. "
        f"Its wrong number, ranked by importance among the words, is {listed(parts)}."
    )


def _among(top: int) -> str:
    return "the most important one" if top == 1 else f"among the first {top}"


def words_sheet(data: StudyData) -> Sheet | None:
    """The words that are most often the most important."""
    words = _top_words(data).head(SHOWN_WORDS)
    if words.is_empty():
        return None
    top = data.settings["attribution"]["top_words"]
    rows = tuple(
        (
            row["word"],
            count(row["contexts"]),
            count(row["first"]),
            count(row["top"]),
            real(row["rank"], 1),
            percent(1 - row["against"], 0),
        )
        for row in words.to_dicts()
    )
    columns = ("word", "contexts", "most important", f"among the first {top}")
    return Sheet(
        "Words before a backtrack",
        (*columns, "median rank", "supports turning back"),
        rows,
        note="Tokens are merged to words, occurrences of a word to one entry; a word "
        "is as important as its most important token (largest |score| over layers, "
        "which grows with the number of layers and their noise). Last column: share "
        "of contexts in which replacing that token by the mean would lower the metric.",
    )
