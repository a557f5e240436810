"""Every experiment declares what its figure of all studies shows."""

import polars as pl
import pytest

from doubletake.study.registry import experiments, tables

PANELS = [
    pytest.param(experiment, panel, id=f"{experiment.name}: {panel.title}")
    for experiment in experiments()
    for panel in experiment.comparison.panels
]


@pytest.mark.parametrize(("experiment", "panel"), PANELS)
def test_a_panel_reads_columns_that_exist(experiment, panel):
    names = {table.name for table in experiment.all_tables}
    assert panel.table in names
    columns = {column.name: column for column in tables()[panel.table].columns}
    assert set(panel.columns) <= set(columns)
    for name in (panel.value, *(panel.interval or ()), *panel.beside):
        assert columns[name].dtype.is_numeric(), name
    assert columns[panel.across].dtype == pl.String or panel.axis
    for name, value in panel.where.items():
        allowed = columns[name].values
        assert value is None or not allowed or value in allowed


@pytest.mark.parametrize(("experiment", "panel"), PANELS)
def test_a_value_without_an_interval_has_none_in_its_table(experiment, panel):
    columns = {column.name for column in tables()[panel.table].columns}
    if panel.measured_once:
        assert not {f"{panel.value}_low", "low"} & columns
        assert "no interval" in experiment.comparison.caption


@pytest.mark.parametrize("experiment", experiments(), ids=lambda one: one.name)
def test_a_caption_explains_every_mark(experiment):
    comparison = experiment.comparison
    assert 1 <= len(comparison.panels) <= 4
    titles = [panel.title for panel in comparison.panels]
    assert len(set(titles)) == len(titles)
    if any(panel.nothing is not None for panel in comparison.panels):
        assert "Dotted: " in comparison.caption
    for panel in comparison.panels:
        words = tables()[panel.table].schema[panel.across] == pl.String
        sign = "hort vertical lines: " if words else "Dashes: "
        assert not panel.beside or sign in comparison.caption
