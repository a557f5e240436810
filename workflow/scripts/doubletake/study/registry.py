"""Finds the stages and experiments: every folder of scripts with a `declaration.py`."""

from functools import cache
from importlib import import_module
from typing import Any

from doubletake.running.digests import SCRIPTS
from doubletake.study.declaration import Experiment, Stage
from doubletake.tables.table import Table

SHARED_TABLES = ("doubletake.tables.runs", "doubletake.tables.verification")
"""Modules with tables that several stages leave."""


@cache
def stages() -> tuple[Stage, ...]:
    """All that is declared, in order.

    Raises:
        ValueError: a declaration has another name than its folder.
    """
    found = [_declared(room) for room in _rooms_with("declaration")]
    return tuple(sorted(found, key=lambda stage: (stage.order, stage.name)))


def stage_named(name: str) -> Stage:
    """The stage or experiment of this name; a KeyError where there is no such one."""
    return {stage.name: stage for stage in stages()}[name]


def experiments() -> tuple[Experiment, ...]:
    """Those that the page shows, in its order."""
    return tuple(stage for stage in stages() if isinstance(stage, Experiment))


def sharded() -> tuple[Stage, ...]:
    """Those whose work is cut into shards."""
    return tuple(stage for stage in stages() if stage.shards)


def leaving(table: Table) -> tuple[Stage, ...]:
    """Those that leave a table which several stages leave."""
    return tuple(stage for stage in stages() if table in stage.all_tables)


def section_of(name: str) -> Any:
    """The section of the page (`page.sections.Section`) of an experiment."""
    return import_module(f"{name}.page").SECTION


@cache
def tables() -> dict[str, Table]:
    """Every table's contract, by its name."""
    modules = [f"{room}.tables" for room in _rooms_with("tables")]
    found = [
        value
        for module in (*modules, *SHARED_TABLES)
        for value in vars(import_module(module)).values()
        if isinstance(value, Table)
    ]
    return {table.name: table for table in found}


def modules(*names: str) -> list[str]:
    """Modules that are looked up by name, for the digest of what a script runs.

    Args:
        names: of modules that stages have (`declaration`, `tables`, `page`).
    """
    return [f"{room}.{name}" for name in names for room in _rooms_with(name)]


def _rooms_with(module: str) -> list[str]:
    return sorted(path.parent.name for path in SCRIPTS.glob(f"*/{module}.py"))


def _declared(room: str) -> Stage:
    stage: Stage = import_module(f"{room}.declaration").DECLARATION
    if stage.name != room:
        raise ValueError(f"{room}/declaration.py declares {stage.name!r}")
    return stage
