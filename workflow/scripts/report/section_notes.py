"""Notes at the head of an experiment's section."""

from collections.abc import Mapping

import polars as pl

from doubletake.page.study_data import StudyData
from doubletake.study.declaration import Experiment


def unchecked_note(experiment: Experiment, data: StudyData) -> str:
    """That no number of the tables has an interval; empty if one has, or no rows."""
    if has_interval(experiment, data.tables) is not False:
        return ""
    least = data.settings["intervals"]["least_problems"]
    return (
        "Not checked: no number in the tables of this section has an interval, because "
        f"none rests on {least} problems. They describe these cases only."
    )


def has_interval(
    experiment: Experiment, tables: Mapping[str, pl.DataFrame]
) -> bool | None:
    """Whether a row of the experiment's tables has an interval; None without rows."""
    ends = [
        tables[table.name.replace("*", experiment.name)][column.name]
        for table in experiment.all_tables
        for column in table.columns
        if column.name == "low" or column.name.endswith("_low")
    ]
    if not any(len(column) for column in ends):
        return None
    return any(column.count() for column in ends)
