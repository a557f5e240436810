"""The page's section on exit policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import plural

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def headline(data: StudyData) -> str:
    """How many policies were replayed on how many thoughts."""
    policies = data.tables["exit_policies/policies"]
    shown = policies.filter(policies["thoughts"].is_not_null())
    if shown.is_empty():
        return "Not checked: no thought has trial points."
    thoughts = plural(shown["thoughts"].max(), "thought")
    return f"{plural(shown.height, 'policy', 'policies')} replayed on {thoughts}."


def findings(_: StudyData) -> list[str]:
    """None."""
    return []


def sheets(_: StudyData) -> list[Sheet]:
    """None."""
    return []


SECTION = Section(headline=headline, findings=findings, sheets=sheets, cases={})
