"""What the page says about the length of thoughts; tables may be empty."""

from doubletake.page.sections import Section, Sheet
from doubletake.page.study_data import StudyData
from doubletake.page.wording import percent, plural


def headline(data: StudyData) -> str:
    """The answer in one sentence: the longest part."""
    table = data.tables["length"]
    if table.is_empty():
        return "There are no thoughts."
    last = table.row(-1, named=True)
    n = plural(last["thoughts"], "thought")
    return f"Of the longest {n}, {percent(last['accuracy'])} are right."


def findings(_: StudyData) -> list[str]:
    """No further sentences."""
    return []


def sheets(_: StudyData) -> list[Sheet]:
    """No printed tables."""
    return []


def cases(data: StudyData) -> str:
    """Number of thoughts behind the figure."""
    return f"{plural(int(data.tables['length']['thoughts'].sum()), 'thought')}."


SECTION = Section(headline, findings, sheets, cases={"accuracy": cases})
