"""The report's sentences and tables on the logit lens and direct logit attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, percent, plural, quoted
from logit_lens.page_pairs import (
    control_sentence,
    pair_parts_sentence,
    position_cases,
)
from logit_lens.page_parts import (
    added_in_short,
    layer_sentence,
    order_sentence,
    parts_sentence,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SHOWN_WORDS = 4


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
    """From which boundary the word leads to the end, and which parts write it."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    return (
        f"{_lead(data)}. Above the mean of the vocabulary, {added_in_short(data)} to "
        "the logit of the backtrack words there."
    )


def _lead(data: StudyData) -> str:
    """How often a backtrack word leads at the end, and from which boundary."""
    leading = data.tables["logit_lens/leading"].filter(kind="backtrack")
    *_, end = leading.sort("boundary").iter_rows(named=True)
    backtracks = plural(end["positions"], "backtrack")
    if not end["share_leading"]:
        return (
            f"At none of {backtracks} is a backtrack word the model\u2019s most likely "
            "token"
        )
    text = (
        f"At {percent(end['share_leading'])} of {backtracks} a backtrack word is the "
        "model\u2019s most likely token"
    )
    if data.settings["turns"]["predicted_only"]:
        text += " (turns.predicted_only keeps only these)"
    middle = middle_boundary(leading)
    if middle == end["boundary"]:
        late = count(end["leading_to_the_end"])
        return (
            f"{text}; at {late} of these it leads only at the last boundary, {middle}"
        )
    return (
        f"{text}; at half of these it leads from boundary {middle} of "
        f"{end['boundary']} or earlier to the end"
    )


def middle_boundary(leading: pl.DataFrame) -> int:
    """The boundary by which half of the positions that end so lead to the end.

    Args:
        leading: rows of one kind of `logit_lens.tables.LOGIT_LENS_LEADING`.
    """
    counts = leading.sort("boundary").with_columns(
        pl.col("leading_to_the_end").cum_sum()
    )
    half = counts["leading_to_the_end"][-1] / 2
    return int(counts.filter(pl.col("leading_to_the_end") >= half)["boundary"][0])


def findings(data: StudyData) -> list[str]:
    """What passes the filter, what the parts add, what differs at matched controls."""
    if why_empty(data) is not None:
        return []
    sentences = [
        _filter_finding(data),
        parts_sentence(data),
        order_sentence(data),
        layer_sentence(data),
        control_sentence(data),
        pair_parts_sentence(data),
        _target_tokens(data),
    ]
    return [sentence for sentence in sentences if sentence]


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


def _target_tokens(data: StudyData) -> str:
    words = data.tables["turns/words"]
    parts = []
    for group, name in (("backtrack", "backtrack"), ("wrap_up", "wrap-up")):
        texts = words.filter(group=group)["text"].to_list()
        parts.append(f"{name} words {', '.join(quoted(text) for text in texts)}")
    return f"Target tokens: {'; '.join(parts)}."


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
        "leading": position_cases,
        "words": word_cases,
    },
)
