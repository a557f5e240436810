"""Columns with the ends of an interval, and what they mean, in all tables."""

from doubletake.tables.table import REAL, Column

LOW = "lower end of its interval over problems; null: too few problems, or equal on all"
HIGH = "upper end; null: as the lower end"


def with_ends(
    name: str, meaning: str, unit: str, *, nullable: bool = False
) -> tuple[Column, Column, Column]:
    """A mean and the ends of its interval over problems."""
    return (
        Column(name, REAL, meaning, nullable=nullable, unit=unit),
        Column(f"{name}_low", REAL, LOW, nullable=True, unit=unit),
        Column(f"{name}_high", REAL, HIGH, nullable=True, unit=unit),
    )
