"""Attention figures: content, sizes, and empty tables."""

import numpy as np
import polars as pl
import pytest
from tiny_attention import MATCHED, attention_rows, study_rows

from attention.plot import Settings, draw_bins, draw_heads, grid_of, main
from attention.summarise import summarise
from attention.tables import (
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
)
from doubletake.stats.intervals import IntervalSettings

SETTINGS = Settings(confidence=0.95)
INTERVALS = IntervalSettings(least_problems=2)


@pytest.fixture(scope="module")
def tables():
    return summarise(ATTENTION.frame(study_rows()), MATCHED, INTERVALS)


def test_means_of_too_few_problems_are_not_drawn(tables):
    summary, heads = summarise(
        ATTENTION.frame(study_rows()), MATCHED, IntervalSettings()
    )
    figures = [
        draw_heads(heads, "dla_backtrack", "logit", signed=True),
        draw_bins(summary, SETTINGS),
    ]
    for figure in figures:
        assert "Not checked, so not drawn" in texts_of(figure)
        assert "to 3)" in texts_of(figure)
        assert not grids_drawn(figure)


def with_ends(table):
    """The table as if every mean had an interval."""
    return table.with_columns(low=pl.col("mean") - 0.1, high=pl.col("mean") + 0.1)


def texts_of(figure):
    texts = [figure.get_supxlabel()]
    for legend in figure.legends:
        texts += [text.get_text() for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title("left"), axes.get_ylabel(), axes.get_xlabel()]
    return "\n".join(texts)


def grids_drawn(figure):
    return [
        np.asarray(mesh.get_array()).reshape(2, 2)
        for axes in figure.axes[:3]
        for mesh in axes.collections[:1]
    ]


def test_heat_maps_show_the_means(tables):
    _, heads = tables
    figure = draw_heads(heads, "dla_backtrack", "logit", signed=True)
    back, control, difference = grids_drawn(figure)
    assert np.allclose(back, [[0, 0], [2, 0]])  # of the pairs: (1 + 3) / 2
    assert np.allclose(back - control, difference)
    assert np.allclose(control, [[0, 0], [0, 0.75]])
    assert np.allclose(difference, grid_of(heads, "dla_backtrack", "difference"))
    text = texts_of(figure)
    assert "2 backtracks of 2 problems, 2 controls of 2 problems." in text
    assert "2 of 4 selected backtracks have a control." in text
    assert "2.00" in text
    assert "difference, logit" in text


def test_zero_has_the_middle_colour_where_values_can_be_negative(tables):
    _, heads = tables
    figure = draw_heads(heads, "dla_backtrack", "logit", signed=True)
    for axes in figure.axes[:3]:
        low, high = axes.collections[0].get_clim()
        assert low == -high


def test_without_controls_the_backtracks_are_drawn(tables):
    rows = [row for row in study_rows() if row["kind"] == "backtrack"]
    summary, heads = summarise(ATTENTION.frame(rows), MATCHED, INTERVALS)
    text = texts_of(draw_heads(heads, "arrival_sentence", "share", signed=False))
    assert "4 backtracks of 3 problems, 0 controls" in text
    labels = draw_bins(with_ends(summary), SETTINGS).axes[1].get_lines()
    assert labels[0].get_label() == "at backtracks"


def test_large_models_have_no_numbers_in_the_cells():
    row = attention_rows("a/0", 1, "backtrack", [0.1, 0.2], [0.0, 1.0])[0]
    wide = {
        name: value * 16 if isinstance(value, list) and name != "tokens" else value
        for name, value in row.items()
    }
    rows = [wide | {"layer": layer} for layer in range(32)]
    _, heads = summarise(ATTENTION.frame(rows), MATCHED, INTERVALS)
    assert heads.filter(measure="dla_backtrack", kind="backtrack").height == 32 * 32
    figure = draw_heads(with_ends(heads), "dla_backtrack", "logit", signed=True)
    assert len(figure.axes) > 3
    assert not figure.axes[0].texts
    assert figure.get_figheight() < 7


def test_bins_show_backtracks_beside_controls(tables):
    summary, _ = tables
    figure = draw_bins(with_ends(summary), SETTINGS)
    question = figure.axes[1]
    assert question.get_title("left") == "Question"
    lines = {line.get_label(): line.get_ydata() for line in question.get_lines()}
    assert np.allclose(lines["at backtracks with a control"], 0.375)
    assert np.allclose(lines["at backtracks with a control, if spread evenly"], 0.45)
    assert "at their controls" in lines
    assert "at backtracks" not in lines
    text = texts_of(figure)
    assert "95% intervals" in text
    assert "Last arrival's sentence" in text


def run(folder, summary, heads):
    ATTENTION_SUMMARY.write(summary, folder / "summary.parquet")
    ATTENTION_HEADS.write(heads, folder / "heads.parquet")
    names = ("attribution", "arrivals", "bins")
    main(
        summary_path=folder / "summary.parquet",
        heads_path=folder / "heads.parquet",
        settings=SETTINGS,
        **{f"{name}_path": folder / f"{name}.svg" for name in names},
    )
    return [(folder / f"{name}.svg").read_bytes() for name in names]


def test_the_same_tables_give_the_same_files(tmp_path, tables):
    assert run(tmp_path, *tables) == run(tmp_path, *tables)


def test_empty_tables_give_figures_that_say_so(tmp_path):
    empty = (ATTENTION_SUMMARY.frame([]), ATTENTION_HEADS.frame([]))
    assert all(b"<svg" in file for file in run(tmp_path, *empty))
    figure = draw_heads(empty[1], "dla_backtrack", "logit", signed=True)
    assert "no backtrack" in texts_of(figure)
