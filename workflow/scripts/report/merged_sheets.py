"""Puts the printed tables of several studies into one table each."""

from collections.abc import Mapping, Sequence

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING


def merged_sheets(studies: Mapping[str, Sequence[Sheet]]) -> list[Sheet]:
    """Tables with the same title and columns become one, with a row label per study.

    Tables of facts (a label, a value, and out of what) get a column per study instead.

    Args:
        studies: tables by the name of the study.
    """
    groups: dict[tuple[str, tuple[str, ...]], dict[str, Sheet]] = {}
    for name, sheets in studies.items():
        for sheet in sheets:
            group = groups.setdefault((sheet.title, sheet.columns), {})
            if name in group:
                raise ValueError(f"{name} has two tables {sheet.title!r} of one shape")
            group[name] = sheet
    return [
        (facts if is_facts(columns) else stacked)(list(studies), group)
        for (_, columns), group in groups.items()
    ]


def is_facts(columns: tuple[str, ...]) -> bool:
    """Whether a table has a fact in each row: its first columns have no heads."""
    return columns[:2] == ("", "")


def facts(names: Sequence[str], group: Mapping[str, Sheet]) -> Sheet:
    """One row per fact, and a column per study.

    Args:
        names: of all studies, in their order.
        group: the table of each study that has it.
    """
    cells = {
        (row[0], name): "; ".join(cell for cell in row[1:] if cell)
        for name, sheet in group.items()
        for row in sheet.rows
    }
    labels = dict.fromkeys(label for label, _ in cells)
    rows = tuple(
        (label, *(cells.get((label, name), NOTHING) for name in names))
        for label in labels
    )
    words = tuple(range(len(names) + 1))
    first = next(iter(group.values()))
    return Sheet(first.title, ("", *names), rows, words, _note(group), first.folded)


def stacked(names: Sequence[str], group: Mapping[str, Sheet]) -> Sheet:
    """The rows of all studies, one study after the other, with their names.

    Args:
        names: of all studies, in their order; one without the table gets dashes.
        group: the table of each study that has it.
    """
    first = next(iter(group.values()))
    rows = tuple(
        (name if number == 0 else "", *row)
        for name in names
        for number, row in enumerate(
            group[name].rows if name in group else [(NOTHING,) * len(first.columns)]
        )
    )
    words = (0, *(index + 1 for index in first.words))
    folded = any(sheet.folds for sheet in group.values())
    return Sheet(
        first.title, ("study", *first.columns), rows, words, _note(group), folded
    )


def _note(group: Mapping[str, Sheet]) -> str:
    """The notes of all studies; with their names where they differ."""
    notes = {name: sheet.note for name, sheet in group.items() if sheet.note}
    if len(set(notes.values())) <= 1:
        return next(iter(notes.values()), "")
    return " ".join(f"{name}: {note}" for name, note in notes.items())
