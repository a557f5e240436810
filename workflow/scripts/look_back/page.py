"""The report's sentences on looking back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.caveats import chosen_by_prediction
from doubletake.page.sections import Section
from doubletake.page.study_data import mean_of
from doubletake.page.wording import count, listed, percent, plural, real
from look_back.page_overlap import overlap_sentence
from look_back.page_sheets import sheets
from look_back.page_verdicts import (
    MORE_OR_LESS,
    attention,
    attention_points,
    compared,
    direction,
    summary_row,
    why_empty,
)
from look_back.tables import (
    AGAIN,
    BACKTRACK,
    CLASS,
    CONTROL,
    IMPORTANT,
    MATCHED_WORDS,
    PLACE,
    SAME_WORDS,
    WORD_DIFFERENCE,
)
from matches.tables import DIFFERENCE

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NAMED_HEADS = 3
STEPS = {
    CLASS: "that are also of the same class (number or word) and length in tokens",
    AGAIN: "that also occur again as the important word does, or does not",
}
"""What stricter matches are, after "words"."""
COVERED = {
    PLACE: "in place and frequency",
    CLASS: "also in class and length",
    AGAIN: "also in whether the word occurs again",
}


def headline(data: StudyData) -> str:
    """Do the next words look more at important words, and more than at controls?"""
    reason = why_empty(data)
    if reason is not None:
        return reason
    row = summary_row(data, BACKTRACK, PLACE, WORD_DIFFERENCE)
    verdict = direction(data, row, MORE_OR_LESS)
    words = data.settings["attribution"]["next_words"]
    text = (
        f"Whether the next {count(words)} words after a backtrack look more at "
        "important words than at matched ones was not checked"
        if verdict is None
        else f"The next {count(words)} words after a backtrack {verdict} important "
        "words than to words that match them in place and frequency"
    )
    against = direction(
        data,
        summary_row(data, DIFFERENCE, PLACE, WORD_DIFFERENCE),
        (
            "it is larger after backtracks",
            "it is smaller after backtracks",
            "it is not shown to differ",
        ),
    )
    if verdict is None or against is None:
        return f"{text}; controls were not compared."
    return f"{text}. Compared with this difference after matched controls, {against}."


def findings(data: StudyData) -> list[str]:
    """The attention to important words, stricter matches, heads, and the overlap."""
    if why_empty(data) is not None:
        return []
    sentences = [
        _attention_finding(data),
        _control_finding(data),
        _strict_finding(data),
        _coverage_finding(data),
        _heads_finding(data),
        overlap_sentence(data),
        _limits(),
    ]
    return [sentence for sentence in sentences if sentence]


def _attention_finding(data: StudyData) -> str:
    """Attention to important and matched words, and the even share."""
    important, matched, gap = (
        summary_row(data, BACKTRACK, PLACE, name)
        for name in (IMPORTANT, MATCHED_WORDS, WORD_DIFFERENCE)
    )
    looks = data.tables["look_back"].filter(kind=BACKTRACK)
    away = percent(mean_of(looks["first_token"]))
    return (
        f"An important word gets {attention(important['mean'])} of the attention of "
        f"the next words, and a word matched in place and frequency "
        f"{attention(matched['mean'])}: {compared(data, gap, attention_points)}. If "
        "attention were spread evenly over all tokens, these would be "
        f"{attention(important['even'])} and {attention(matched['even'])}. All shares "
        "are of the attention that does not go to the first token, which gets "
        f"{away}."
    )


def _control_finding(data: StudyData) -> str:
    """The same at controls, and the difference of the differences."""
    control = summary_row(data, CONTROL, PLACE, WORD_DIFFERENCE)
    pairs = summary_row(data, DIFFERENCE, PLACE, WORD_DIFFERENCE)
    if not control["positions"] or not pairs["positions"]:
        return (
            "Backtracks were not compared with controls: no selected backtrack has a "
            "matched control with important and matched words."
        )
    text = compared(data, pairs, attention_points)
    return (
        "At controls, where the thought went on, the important words are those for "
        "turning back there. The difference between important and matched words is "
        f"{attention_points(control['mean'])} points there "
        f"({data.between(control, attention_points)}, "
        f"{plural(control['positions'], 'control')}). Within pairs, backtrack minus "
        f"control: {text}.{chosen_by_prediction(data)}"
    )


def _strict_finding(data: StudyData) -> str:
    """What is left with stricter matches, and what the choice of words does."""
    parts = []
    for name, words in STEPS.items():
        row = summary_row(data, BACKTRACK, name, WORD_DIFFERENCE)
        if row["positions"]:
            parts.append(f"words {words}: {compared(data, row, attention_points)}")
    if not parts:
        return "Stricter matches were not found, so they are not compared."
    text = f"Important words against {'; against '.join(parts)}."
    same = summary_row(data, BACKTRACK, SAME_WORDS, WORD_DIFFERENCE)
    if not same["positions"]:
        return text
    return (
        f"{text} Stricter matches exist for fewer words. On the words that have the "
        "strictest match, words matched only in place and frequency give "
        f"{attention_points(same['mean'])} points "
        f"({data.between(same, attention_points)}). What lies between this number and "
        "the strictest one comes from the matches, the rest from the choice of words."
    )


def _coverage_finding(data: StudyData) -> str:
    """How many important words have a match, and how well the distance is matched."""
    words = data.tables["look_back/words"].filter(kind=BACKTRACK)
    given = [
        f"{percent(mean_of(words[f'{name}_partners'] > 0), 0)} {text}"
        for name, text in COVERED.items()
    ]
    paired = words.filter(pl.col("place_partners") > 0)
    own, other = (mean_of(paired[name]) for name in ("distance", "place_distance"))
    return (
        f"Of {plural(words.height, 'important word')} before backtracks, so many have "
        f"a match: {listed(given)}. The others are left out. Important words with a "
        f"match stand {real(own)} tokens before the position, their matches "
        f"{real(other)}."
    )


def _heads_finding(data: StudyData) -> str:
    """The heads that look most at important words."""
    heads = data.tables["look_back/heads"]
    tested = heads.drop_nulls("p")
    if tested.is_empty():
        return "Single heads were not checked: too few problems for an interval."
    limit = 1 - data.confidence
    shown = tested.filter(pl.col("p") <= limit)
    more = shown.filter(pl.col("mean") > 0).sort("rank")
    fewer = shown.height - more.height
    text = (
        f"Of {plural(tested.height, 'head')}, {count(more.height)} look more at "
        f"important than at matched words, and {count(fewer)} less (corrected for all "
        "heads)."
    )
    if more.is_empty():
        return text
    named = [
        f"head {row['head']} of layer {row['layer']} ({attention(row['important'])} "
        f"against {attention(row['matched'])})"
        for row in more.head(NAMED_HEADS).to_dicts()
    ]
    return (
        f"{text} The largest differences: {listed(named)}, as shares of all attention "
        "of the head; the largest are too large on average, because they were chosen."
    )


def _limits() -> str:
    return (
        "What remains open: attention shows where a head looks, not what it uses. "
        "Importance is an estimate by gradients, which run through the same "
        "attention, so heads that look at a word also make it important. Words differ "
        "in more than place, frequency, class and length."
    )


def attention_cases(data: StudyData) -> str:
    """Number of positions behind the figures of attention."""
    parts = []
    for kind, noun in ((BACKTRACK, "backtrack"), (CONTROL, "control")):
        row = summary_row(data, kind, PLACE, WORD_DIFFERENCE)
        if row["positions"]:
            problems = plural(row["problems"], "problem")
            parts.append(f"{plural(row['positions'], noun)} of {problems}")
    return f"{listed(parts) or 'No position'}. {data.interval_note}"


def overlap_cases(data: StudyData) -> str:
    """Number of positions behind the figure of the overlap, and the published share."""
    table = data.tables["look_back/overlap"].filter(kind=BACKTRACK)
    n = max(table["positions"].to_list(), default=0)
    text = f"{plural(n, 'backtrack')}. {data.interval_note}"
    if table["published"].count():
        return f"{text} Diamond: the published share of the same model and problems."
    return f"{text} A published share exists for one model and dataset only."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "layers": attention_cases,
        "baselines": attention_cases,
        "overlap": overlap_cases,
    },
)
"""The page's section."""
