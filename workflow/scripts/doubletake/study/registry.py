"""Finds all stages and experiments by their `declaration.py`, and all tables."""

from functools import cache
from importlib import import_module
from typing import Any

from doubletake.running.digests import SCRIPTS
from doubletake.study.declaration import Experiment, Stage
from doubletake.tables.table import Table

SHARED_TABLES = ("doubletake.tables.runs", "doubletake.tables.verification")
"""Modules with tables that several stages write."""


@cache
def stages() -> tuple[Stage, ...]:
    """All declared stages and experiments, in their order.

    Raises:
        ValueError: the name in a declaration is not the name of its folder.
    """
    declared = [_declaration_of(folder) for folder in _folders_with("declaration")]
    return tuple(sorted(declared, key=lambda stage: (stage.order, stage.name)))


def stage_named(name: str) -> Stage:
    """The stage or experiment of this name; a KeyError if the name is unknown."""
    return {stage.name: stage for stage in stages()}[name]


def experiments() -> tuple[Experiment, ...]:
    """All experiments, in the order of the page."""
    return tuple(stage for stage in stages() if isinstance(stage, Experiment))


def sharded() -> tuple[Stage, ...]:
    """All stages whose work is cut into shards."""
    return tuple(stage for stage in stages() if stage.shards)


def stages_with(table: Table) -> tuple[Stage, ...]:
    """All stages that write this table."""
    return tuple(stage for stage in stages() if table in stage.all_tables)


def compared_tables() -> list[str]:
    """Names of the tables that the figures of all studies read."""
    panels = (panel for one in experiments() for panel in one.comparison.panels)
    return list(dict.fromkeys(panel.table for panel in panels))


def section_of(name: str) -> Any:
    """An experiment's section of the page (`doubletake.page.sections.Section`)."""
    return import_module(f"{name}.page").SECTION


@cache
def tables() -> dict[str, Table]:
    """Every table's contract, by its name."""
    modules = [f"{folder}.tables" for folder in _folders_with("tables")]
    tables = [
        value
        for module in (*modules, *SHARED_TABLES)
        for value in vars(import_module(module)).values()
        if isinstance(value, Table)
    ]
    declared = (table for stage in stages() for table in stage.all_tables)
    return {table.name: table for table in (*tables, *declared)}


def modules(*names: str) -> list[str]:
    """Modules of these names in all folders, for the digest of a script's code.

    Args:
        names: names of modules that stages have (`declaration`, `tables`, `page`).
    """
    return [f"{folder}.{name}" for name in names for folder in _folders_with(name)]


def _folders_with(module: str) -> list[str]:
    return sorted(path.parent.name for path in SCRIPTS.glob(f"*/{module}.py"))


def _declaration_of(folder: str) -> Stage:
    stage: Stage = import_module(f"{folder}.declaration").DECLARATION
    if stage.name != folder:
        raise ValueError(f"{folder}/declaration.py declares {stage.name!r}")
    return stage
