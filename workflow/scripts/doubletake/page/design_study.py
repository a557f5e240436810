"""The study on which the designs of some experiments were set: it confirms nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PROBLEMS = ("resources", "pocket", "problems.jsonl")
"""End of the path of the problems of the default study."""


def is_design_study(data: StudyData) -> bool:
    """Whether designs were chosen while looking at the results of these problems."""
    return Path(data.settings["dataset"]["source"]).parts[-3:] == PROBLEMS
