"""The page's sentences and table on the words before a backtrack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, listed, percent, plural, points, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SHOWN_WORDS = 12
NAMED_WORDS = 5  # in the sentence on the most important words


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
            against=(pl.col("signed_max") > 0).mean(),
        )
        .sort(["first", "top", "word"], descending=[True, True, False])
    )


def most_important_sentence(data: StudyData) -> str:
    """Which words are most often the most important of their context."""
    words = _top_words(data).filter(pl.col("first") > 0).head(NAMED_WORDS)
    if words.is_empty():
        return ""
    named = [
        f"\u201c{word}\u201d ({count(n)})"
        for word, n in words.select("word", "first").iter_rows()
    ]
    stop_words = data.settings["attribution"]["stop_words"]
    return (
        "Words that are most often the most important of their context: "
        f"{listed(named)}. The stop words of the list {stop_words} are left out."
    )


def published_metric(data: StudyData) -> str:
    """Of which metric the published numbers are, and whether the study has the same."""
    if data.settings["attribution"]["metric"] == "target":
        return "of the same metric"
    return "of another metric (attribution.metric: target)"


def overlap_sentence(data: StudyData) -> str:
    """How many important words occur again later, against matched words."""
    table = data.tables["attribution/overlap"].filter(kind="backtrack")
    rows = {row["words"]: row for row in table.to_dicts() if row["mean"] is not None}
    if len(rows) < 3:
        return ""
    settings = data.settings["attribution"]
    important, matched, gap = (
        rows[name] for name in ("important", "matched", "difference")
    )
    published = important["published"]
    reference = (
        ""
        if published is None
        else f" (published: {percent(published, 0)}, {published_metric(data)})"
    )
    return (
        f"Of the {settings['top_words']} most important words before a backtrack, "
        f"{percent(important['mean'])}{reference} occur in the next "
        f"{settings['next_words']} words of the thought. Of other words with the same "
        f"context and frequency, {percent(matched['mean'])} occur there. The "
        f"difference is {points(gap['mean'])} points ({data.between(gap, points)}, "
        f"n\u00a0=\u00a0{gap['positions']:,}). These words may stand at other places "
        "than the important ones; the section on looking back compares words at like "
        "places."
    )


def slips_sentence(data: StudyData) -> str:
    """How often a wrong number is among the important words."""
    ranks = data.tables["attribution/slip_ranks"].drop_nulls("share").sort("top_k")
    if ranks.is_empty():
        return "No selected backtrack follows a false equation."
    parts = [
        f"{_among(row['top_k'])} in {count(row['hits'])} "
        f"({data.between(row, _whole)}; a random order: {_whole(row['chance'])})"
        for row in ranks.to_dicts()
    ]
    return (
        f"{plural(ranks['positions'][0], 'backtrack')} came after a false equation. "
        f"Its wrong number, ranked by importance among the words, is {listed(parts)}."
    )


def _whole(share: float) -> str:
    return percent(share, 0)


def _among(top_k: int) -> str:
    return "the most important one" if top_k == 1 else f"among the first {top_k}"


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
        note="Tokens are merged to words, and all occurrences of a word to one entry. "
        "A word is as important as its most important token (largest |score| over "
        "layers, which grows with the number of layers and their noise). Last column: "
        "share of contexts in which replacing this token by the mean would lower the "
        "metric.",
    )
