"""What a reader must know before any figure of a study: shown on the first screen."""

import polars as pl

from doubletake.page.study_data import StudyData
from doubletake.page.wording import count, plural
from doubletake.text.chat_templates import DATE_NOTE

MARKERS = (
    "Look at the example traces: are the markers of the thought those that the model "
    "writes (`start_of_thought` and `end_of_thought` of the model)?"
)


def warnings_of(data: StudyData, runs: pl.DataFrame) -> list[str]:
    """Sentences on a study whose thoughts give little or nothing to measure.

    Args:
        data: the study.
        runs: `schemas.RUNS` of all its stages.
    """
    return [*_of_thoughts(data), *_of_dates(runs)]


def _of_thoughts(data: StudyData) -> list[str]:
    thoughts, found = data.thoughts, []
    if thoughts.is_empty():
        return ["There is no thought in this study: nothing was measured."]
    n = plural(thoughts.height, "thought")
    if data.tables["events"].is_empty():
        found.append(
            f"No arrival, no turn and no wrap-up was found in {n}: nothing was "
            f"measured inside the thoughts. {MARKERS}"
        )
    empty = int(thoughts["empty"].sum())
    if 2 * empty > thoughts.height:
        found.append(
            f"{count(empty)} of {n} are empty: the model wrote its answer without a "
            f"thought. {MARKERS} `open_thought: true` opens the thought for it."
        )
    if not thoughts["closed"].any():
        found.append(
            f"None of {n} was closed by the end marker, so no final answer was read "
            f"and none counts as right. {MARKERS}"
        )
    return found


def _of_dates(runs: pl.DataFrame) -> list[str]:
    dated = runs["note"].str.contains(DATE_NOTE, literal=True).any()
    return [f"{DATE_NOTE[0].upper()}{DATE_NOTE[1:]}."] if dated else []
