"""The page's section on attribution: which words make the model turn back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from attribution.heat_maps import heat_maps
from attribution.page_agreement import (
    METHODS,
    agreement_sentence,
    agreement_sheet,
    cell_cases,
    check_row,
    first_row,
    method_of,
)
from attribution.page_pairs import number_of_pairs, pairs_sentence
from attribution.page_words import (
    most_important_sentence,
    overlap_sentence,
    published_metric,
    slips_sentence,
    words_sheet,
)
from doubletake.page.sections import HeatMap, Section, Sheet
from doubletake.page.wording import count, listed, plural, real
from doubletake.text.context_parts import QUESTION, THOUGHT_PARTS

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

METRICS = {
    "log_odds": "the log-odds of a backtrack word against all other tokens",
    "difference": "the log-odds of a backtrack word against a wrap-up word",
    "target": "the raw logit of the most likely next token that is not white space",
}
KINDS = {"backtrack": "backtracks", "control": "controls", "wrap_up": "wrap-ups"}


def backtracks(data: StudyData) -> pl.DataFrame:
    """The selected backtracks, whose tokens were scored."""
    return data.tables["attribution/tokens"].filter(kind="backtrack")


def reason_for_no_results(data: StudyData) -> str | None:
    """The reason why there are no results; None where there are results."""
    if not backtracks(data).is_empty():
        return None
    n = data.tables["turns"].filter(kind="backtrack").height
    if n:
        return (
            f"The thoughts have {plural(n, 'backtrack')}, but the config (section "
            "turns) selects no backtrack. So there are no results on the words before "
            "them."
        )
    return "No backtrack was found, so there are no words before a backtrack to study."


def headline(data: StudyData) -> str:
    """How important the question and the last words are, and how good the estimate."""
    reason = reason_for_no_results(data)
    if reason is not None:
        return reason
    pearson = check_row(data, method_of(data), "pearson", None)
    quality = "was not checked"
    if pearson is not None and data.is_enough(pearson["problems"]):
        ends = data.between(pearson, lambda value: real(value, 2))
        mean = real(pearson["mean"], 2)
        quality = f"correlates {mean} ({ends}) with exact patching here"
    elif pearson is not None:
        n = plural(pearson["problems"], "problem")
        quality = f"was compared with exact patching on only {n}, so is not checked"
    parts = (
        ("the question", QUESTION),
        ("the last fifth of the thought so far", THOUGHT_PARTS),
    )
    rows = [(name, _context_part(data, part, "token")) for name, part in parts]
    importance = listed(
        [
            f"a token of {name} is {real(row['mean'], 2)} times"
            for name, row in rows
            if row is not None and row["mean"] is not None
        ]
    )
    n = plural(backtracks(data).height, "backtrack")
    if not importance:
        return (
            f"Before {n}, the importance of question and thought could not be "
            f"computed; the estimate (attribution patching) {quality}."
        )
    return (
        f"Before {n}, {importance} as important as the mean token of the context, "
        f"by an estimate (attribution patching) that {quality}."
    )


def findings(data: StudyData) -> list[str]:
    """Quality of the estimate, the controls, the words, and wrong numbers."""
    if reason_for_no_results(data) is not None:
        return []
    sentences = [
        agreement_sentence(data),
        pairs_sentence(data),
        _position_sentence(data),
        most_important_sentence(data),
        overlap_sentence(data),
        slips_sentence(data),
    ]
    return [sentence for sentence in sentences if sentence]


def _context_part(data: StudyData, part: int, quantity: str) -> dict[str, Any] | None:
    table = data.tables["attribution/context_parts"]
    return first_row(table, kind="backtrack", context_part=part, quantity=quantity)


def _position_sentence(data: StudyData) -> str:
    """The position against the tokens before it."""
    rows = backtracks(data)
    earlier = rows.select(pl.col("mean_abs").list.mean()).to_series().mean()
    position = rows["position_mean_abs"].mean()
    if not isinstance(earlier, float) or not isinstance(position, float) or not earlier:
        return ""
    return (
        "The position of the turn itself is left out of all these figures. Averaged "
        f"over layers, its |score| is {count(round(position / earlier))} times the "
        "|score| of a mean earlier token."
    )


def sheets(data: StudyData) -> list[Sheet]:
    """The printed tables; an empty list without backtracks."""
    if reason_for_no_results(data) is not None:
        return []
    tables = [agreement_sheet(data), words_sheet(data)]
    return [sheet for sheet in tables if sheet is not None]


def maps(data: StudyData) -> list[HeatMap]:
    """Heat maps of the backtracks with the largest metric."""
    return heat_maps(data, data.settings["attribution"]["heat_maps"])


def kind_cases(data: StudyData) -> str:
    """Number of positions and pairs behind the figures, metric and method."""
    tokens = data.tables["attribution/tokens"]
    if tokens.is_empty():
        return "No position was selected."
    counts = [
        f"{count(tokens.filter(kind=kind).height)} {name}"
        for kind, name in KINDS.items()
        if tokens.filter(kind=kind).height
    ]
    metric = METRICS[data.settings["attribution"]["metric"]]
    pairs = number_of_pairs(data)
    if pairs:
        compared = (
            f"Drawn beside each other: the {plural(pairs, 'backtrack')} with a matched "
            "control, and these controls."
        )
    else:
        compared = "No backtrack has a matched control here, so all are drawn alone."
    return (
        f"{listed(counts)}. {compared} The metric is {metric}. The method is "
        f"{METHODS[method_of(data)]}. {data.interval_note}"
    )


def context_part_cases(data: StudyData) -> str:
    """`kind_cases`, and whether published values are drawn."""
    table = data.tables["attribution/context_parts"]
    text = kind_cases(data)
    if table["published"].count():
        return (
            f"{text} Diamonds, to compare with all selected backtracks: published "
            "values of the same model and problems (ARBOR project), "
            f"{published_metric(data)}; the source does not state their "
            "normalisation."
        )
    return text + (
        " Published values exist for one model and dataset only, and are drawn only "
        "for these."
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    maps=maps,
    cases={
        "context_parts": context_part_cases,
        "agreement": cell_cases,
        "layers": kind_cases,
    },
)
