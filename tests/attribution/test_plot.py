"""Figures of attribution from tables alone."""

import polars as pl
import pytest

from attribution.plot import (
    Settings,
    counts_note,
    draw_context_parts,
    draw_layers,
    main,
)
from attribution.plot_agreement import draw_agreement
from attribution.tables import (
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_CONTEXT_PARTS,
    ATTRIBUTION_LAYERS,
)

SETTINGS = Settings("gradient", "log_odds", 0.9)
MEAN = {"mean": 0.4, "low": 0.3, "high": 0.5, "positions": 7, "problems": 5}
KINDS = ("backtrack", "matched", "control", "wrap_up", "difference")
PAIRS = {"positions": 4, "problems": 3}
GIVEN = {
    "context_parts_table": ATTRIBUTION_CONTEXT_PARTS.frame(
        [
            {"kind": kind, "context_part": part, "quantity": quantity}
            | MEAN
            | (PAIRS if kind in ("matched", "control", "difference") else {})
            | {"published": 0.5 if kind == "backtrack" else None}
            for kind in KINDS
            for part in range(6)
            for quantity in ("token", "peak", "share")
        ]
    ),
    "layers": ATTRIBUTION_LAYERS.frame(
        [
            {"kind": kind, "component": component, "layer": layer}
            | {"quantity": quantity}
            | MEAN
            for kind in KINDS
            for component in ("resid", "attn_out", "mlp_out")
            for layer in range(3)
            for quantity in ("earlier", "position")
        ]
    ),
    "checks": ATTRIBUTION_CHECKS.frame(
        [
            {"method": method, "component": "resid", "layer": layer, "statistic": name}
            | (MEAN if name != "recall" else dict.fromkeys(MEAN) | {"positions": 0})
            | {"problems": 5}
            for method in ("gradient", "integrated")
            for layer in (0, 1, 2, None)
            for name in ("pearson", "spearman", "sign", "recall")
        ]
    ),
    "cells": ATTRIBUTION_CELLS.frame(
        [
            {"trace": "a/0", "event": 1, "problem": "a", "component": "resid"}
            | {"layer": layer, "token": token, "gradient": 0.1 * token}
            | {"integrated": 0.2, "exact": 0.01 * token**2}
            for layer in range(3)
            for token in range(1, 9)
        ]
    ),
}
TABLES = {
    "context_parts_table": ATTRIBUTION_CONTEXT_PARTS,
    "layers": ATTRIBUTION_LAYERS,
    "checks": ATTRIBUTION_CHECKS,
    "cells": ATTRIBUTION_CELLS,
}
FIGURES = ("context_parts", "agreement", "layers_figure")


def draw(folder, tables) -> list[bytes]:
    folder.mkdir()
    for name, frame in tables.items():
        TABLES[name].write(frame, folder / name)
    main(
        **{f"{name}_path": folder / name for name in TABLES},
        **{f"{name}_path": folder / f"{name}.svg" for name in FIGURES},
        settings=SETTINGS,
    )
    return [(folder / f"{name}.svg").read_bytes() for name in FIGURES]


def test_equal_tables_give_equal_figures(tmp_path):
    assert draw(tmp_path / "a", GIVEN) == draw(tmp_path / "b", GIVEN)


@pytest.mark.parametrize("name", ["context_parts_table", "layers", "cells"])
def test_each_figure_shows_its_table(tmp_path, name):
    changed = {
        "context_parts_table": pl.col("published") + 0.2,
        "layers": pl.col("mean") + 0.2,
        "cells": pl.col("exact") * 3 + 0.1,
    }[name]
    other = GIVEN | {name: GIVEN[name].with_columns(changed)}
    pairs = zip(draw(tmp_path / "a", GIVEN), draw(tmp_path / "b", other), strict=True)
    differ = [one != two for one, two in pairs]
    assert differ == [name == "context_parts_table", name == "cells", name == "layers"]


def test_without_decisions_the_figures_say_so(tmp_path):
    empty = {name: frame.head(0) for name, frame in GIVEN.items()}
    for figure in draw(tmp_path / "empty", empty):
        assert b"<svg" in figure


def test_cells_that_are_all_zero_are_drawn(tmp_path):
    flat = GIVEN["cells"].with_columns(pl.lit(0.0).alias("exact"), gradient=pl.lit(0.0))
    draw(tmp_path / "flat", GIVEN | {"cells": flat.select(GIVEN["cells"].columns)})


def test_a_method_that_was_not_run_is_marked_as_not_checked(tmp_path):
    cells = GIVEN["cells"].with_columns(integrated=pl.lit(None, pl.Float64))
    checks = GIVEN["checks"].filter(method="gradient")
    figure = draw_agreement(checks, cells, "gradient", 0.9)
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert texts == [[], ["not checked"], []]
    draw(tmp_path / "one", GIVEN | {"cells": cells, "checks": checks})


def test_means_without_an_interval_are_not_drawn():
    few = {
        name: table.with_columns(low=pl.lit(None, pl.Float64), high=None)
        for name, table in GIVEN.items()
        if name != "cells"
    }
    # Four kinds, six parts, three quantities; three kinds, three components and layers.
    for figure, left_out in (
        (draw_context_parts(few["context_parts_table"], SETTINGS), "72 points"),
        (draw_layers(few["layers"], SETTINGS), "54 points"),
    ):
        (text,) = (text.get_text() for text in figure.axes[0].texts)
        assert f"Not checked, so not drawn: {left_out} without an interval" in text
    figure = draw_agreement(few["checks"], GIVEN["cells"], "gradient", 0.9)
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert texts == [["not checked"], ["not checked"], []]
    assert "24 points without an interval (problems: 5)" in figure.get_supxlabel()


def legend_of(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_backtracks_with_a_control_are_drawn_beside_their_controls():
    own = GIVEN["context_parts_table"].with_columns(published=pl.lit(None, pl.Float64))
    pairs = ["backtracks with a control", "their controls", "wrap-ups"]
    assert legend_of(draw_context_parts(own, SETTINGS)) == pairs
    layers = GIVEN["layers"].filter(component="resid")
    assert legend_of(draw_layers(layers, SETTINGS)) == pairs
    published = draw_context_parts(GIVEN["context_parts_table"], SETTINGS)
    diamonds = ["all backtracks", "published, all backtracks"]
    assert legend_of(published) == pairs + diamonds


def test_without_pairs_all_backtracks_are_drawn_alone():
    alone = ~pl.col("kind").is_in(["matched", "difference"])
    own = GIVEN["context_parts_table"].filter(alone).with_columns(published=None)
    names = ["wrap-ups", "all backtracks"]
    assert legend_of(draw_context_parts(own, SETTINGS)) == names
    layers = GIVEN["layers"].filter(alone, component="resid")
    assert legend_of(draw_layers(layers, SETTINGS)) == names


def test_points_of_kinds_that_are_not_drawn_are_not_counted():
    table = GIVEN["layers"].with_columns(
        low=pl.when(kind="wrap_up").then("low"),
        high=pl.when(kind="wrap_up").then("high"),
    )
    note = draw_layers(table, SETTINGS).get_supxlabel()
    assert "Not checked" not in note


def test_the_note_states_cases_and_intervals():
    note = counts_note(GIVEN["context_parts_table"], 0.9)
    assert note == (
        "Pairs of a backtrack and its control: n = 4, of 3 problems; all selected "
        "backtracks: n = 7, of 5 problems; wrap-ups: n = 7, of 5 problems. 90% "
        "intervals over problems."
    )
    few = GIVEN["context_parts_table"].with_columns(
        positions=pl.when(pl.col("context_part") > 0)
        .then(4)
        .otherwise(7)
        .cast(pl.Int32)
    )
    assert "n = 4 to 7, of" in counts_note(few, 0.9)


def test_the_agreement_of_all_layers_is_drawn_where_no_layer_has_an_interval():
    of_layer = pl.col("layer").is_not_null()
    checks = GIVEN["checks"].with_columns(
        low=pl.when(~of_layer).then("low"),
        high=pl.when(~of_layer).then("high"),
        problems=pl.when(of_layer).then(2).otherwise(10).cast(pl.Int32),
    )
    figure = draw_agreement(checks, GIVEN["cells"], "gradient", 0.9)
    assert [axes.texts[:] for axes in figure.axes] == [[], [], []]
    panel = figure.axes[0]
    ticks = [label.get_text() for label in panel.get_xticklabels()]
    assert ticks == ["Pearson", "Spearman", "equal\nsigns", "top\n5 found"]
    assert panel.get_xlabel() == "all layers together"
    drawn = [line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 1]
    assert drawn == [0, 1, 2]  # no case has a recall
    by_layer = draw_agreement(GIVEN["checks"], GIVEN["cells"], "gradient", 0.9).axes[0]
    assert by_layer.get_xlabel() == "layer"


def test_many_layers_have_bands_instead_of_bars():
    """Agreement of a few layers and of thirty."""
    checks = GIVEN["checks"].drop_nulls("layer")
    few = draw_agreement(checks, GIVEN["cells"], "gradient", 0.9).axes[0]
    row = checks.filter(layer=checks["layer"].min())
    thirty = pl.concat([row.with_columns(layer=pl.lit(k, pl.Int32)) for k in range(30)])
    many = draw_agreement(thirty, GIVEN["cells"], "gradient", 0.9).axes[0]
    kinds = [
        {type(shape).__name__ for shape in panel.collections} for panel in (few, many)
    ]
    assert kinds[0] == {"LineCollection"}
    assert "LineCollection" not in kinds[1]
    assert kinds[1]
