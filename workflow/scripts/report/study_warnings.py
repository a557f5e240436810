"""Warnings at the top of the page, on studies with little or nothing to measure."""

import polars as pl

from doubletake.page.study_data import StudyData
from doubletake.page.wording import count, plural
from doubletake.text.chat_templates import DATE_NOTE

MARKERS = (
    "Look at the example traces: does the model write the markers that the config "
    "expects (`start_of_thought` and `end_of_thought` of the model)?"
)


def warnings_of(data: StudyData, runs: pl.DataFrame) -> list[str]:
    """Sentences that warn of a study with little or nothing to measure.

    Args:
        data: the study.
        runs: the tables `RUNS` of all its stages.
    """
    return [*_of_thoughts(data), *_of_dates(runs)]


def _of_thoughts(data: StudyData) -> list[str]:
    thoughts, warnings = data.thoughts, []
    if thoughts.is_empty():
        return ["This study has no thoughts, so nothing was measured."]
    n = plural(thoughts.height, "thought")
    if data.tables["events"].is_empty():
        warnings.append(
            f"No arrival, no turn and no wrap-up was found in {n}, so nothing was "
            f"measured inside the thoughts. {MARKERS}"
        )
    empty = int(thoughts["empty"].sum())
    if 2 * empty > thoughts.height:
        warnings.append(
            f"{count(empty)} of {n} are empty: the model wrote its answer without a "
            f"thought. {MARKERS} `open_thought: true` opens the thought for it."
        )
    if not thoughts["closed"].any():
        warnings.append(
            f"Not one of {n} was closed by the end marker, so no final answer was read "
            f"and no thought counts as right. {MARKERS}"
        )
    return warnings


def _of_dates(runs: pl.DataFrame) -> list[str]:
    dated = runs["note"].str.contains(DATE_NOTE, literal=True).any()
    return [f"{DATE_NOTE[0].upper()}{DATE_NOTE[1:]}."] if dated else []
