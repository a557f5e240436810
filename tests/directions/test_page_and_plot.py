"""Sentences follow from the tests on other problems; empty studies say so."""

import pytest
from matplotlib.figure import Figure
from tiny_report import SETTINGS

from directions.page import SECTION
from directions.plot import draw_separation, draw_test_pairs
from directions.tables import (
    DIRECTION_COSINES,
    DIRECTION_HELD_OUT,
    DIRECTION_PROBLEMS,
    DIRECTION_UNITS,
    DIRECTIONS,
)
from doubletake.page.study_data import StudyData
from doubletake.tables.runs import RUNS

INTERVALS = {"confidence": 0.95, "least_problems": 10}


def direction_rows(names, *, separation=0.3, shuffled=0.2, why_not=None):
    numbers = {"norm": 3.0, "residual_norm": 10.0, "mean_norm": 5.0}
    numbers |= {"separation": separation, "shuffled_separation": shuffled}
    numbers |= {"shuffled_highest": shuffled}
    if why_not:
        numbers = {}
    counts = {"cases": 40, "problems": 20, "positions": 80, "why_not": why_not}
    return [
        dict.fromkeys(DIRECTIONS.schema)
        | {"direction": name, "boundary": boundary}
        | counts
        | numbers
        for name in names
        for boundary in range(3)
    ]


def held_row(name, share, p, boundary=2, low=0.4, high=0.9, beyond=None):
    ends = {"low": low, "high": high, "fit_ordered": 0.7, "shuffled": 0.5}
    beyond = share - 0.5 if beyond is None else beyond
    ends |= {"beyond": beyond, "beyond_low": None, "beyond_high": None}
    if low is not None:
        ends |= {"beyond_low": beyond - 0.1, "beyond_high": beyond + 0.1}
    row = {"direction": name, "boundary": boundary, "pairs": 50, "problems": 25}
    return row | {"ordered": share, "chosen": True, "p": p} | ends


def study(rows, held, *, cosines=(), units=(), note=""):
    names = ("stage", "shard", "device", "dtype")
    run = dict.fromkeys(names, "x") | {"traces": 4, "tokens": 9, "seconds": 1.0}
    parts = [{"problem": f"{k}", "part": "fit" if k < 6 else "test"} for k in range(10)]
    cells = [
        dict(zip(DIRECTION_COSINES.schema, (*key, value, 0.1, 0.2), strict=True))
        for *key, value in cosines
    ]
    tables = {
        "directions": DIRECTIONS.frame(rows),
        "directions/held_out": DIRECTION_HELD_OUT.frame(held),
        "directions/cosines": DIRECTION_COSINES.frame(cells),
        "directions/problems": DIRECTION_PROBLEMS.frame(parts if rows else []),
        "directions/units": DIRECTION_UNITS.frame(list(units)),
        "directions/runs": RUNS.frame([run | {"note": note}] if rows else []),
    }
    return StudyData("tiny", "data", tables, SETTINGS | {"intervals": INTERVALS})


@pytest.mark.parametrize(
    ("share", "p", "beyond", "text"),
    [
        (0.7, 0.01, 0.2, "ward puts turns above their matched controls more often"),
        (0.7, 0.06, 0.2, "no direction puts turns above their matched controls"),
        (0.7, 0.01, 0.05, "no direction puts turns above their matched controls"),
        (0.2, 0.01, -0.3, "; ward does so less often"),
        (0.2, 0.01, -0.05, "no direction puts turns above"),
        (0.7, None, 0.2, "Not checked: too few matched pairs"),
    ],
)
def test_the_headline_follows_from_the_tests(share, p, beyond, text) -> None:
    data = study(direction_rows(["ward"]), [held_row("ward", share, p, beyond=beyond)])
    assert text in SECTION.headline(data)


def test_the_headline_names_every_verdict() -> None:
    names = ["ward", "seal", "venhoff"]
    held = [held_row("ward", 0.7, 0.01), held_row("seal", 0.8, 0.01)]
    data = study(direction_rows(names), [*held, held_row("venhoff", 0.5, 1.0)])
    few = study(direction_rows(names), [*held, held_row("venhoff", 0.5, None)])
    assert "; not checked: venhoff (at most" in SECTION.headline(few)
    assert SECTION.headline(data) == (
        "In problems that gave no direction, ward and seal put turns above their "
        "matched controls more often than chance and than shuffled labels; venhoff "
        "cannot be told from one of them (at most 50 pairs each)."
    )


def test_absent_directions_are_named_with_their_reason() -> None:
    rows = direction_rows(["ward"]) + direction_rows(["seal"], why_not="no paragraph")
    found = SECTION.findings(study(rows, [held_row("ward", 0.7, 0.01)]))
    assert "There is no direction seal: no paragraph." in found
    assert found[0] == "6 problems give the directions, and 4 others judge them."


def test_lengths_beside_shuffled_labels() -> None:
    rows = direction_rows(["ward"]) + direction_rows(["seal"], separation=0.1)
    held = [held_row("ward", 0.7, 0.01), held_row("seal", 0.7, 0.01)]
    text = " ".join(SECTION.findings(study(rows, held)))
    assert "ward is longer than in each of 5 draws of labels" in text
    assert "; seal is not. By chance, one in 6 would be longer than all." in text


def test_cosines_with_the_probe_and_units() -> None:
    rows = direction_rows(["ward", "probe"])
    held = [held_row("ward", 0.7, 0.01, boundary=1), held_row("probe", 0.7, 0.01)]
    cosines = [("ward", "probe", 1, 0.9), ("ward", "probe", 2, -0.25)]
    cells = ("for", 1, 1, 5, 0.4, 1.0)
    unit = dict(zip(DIRECTION_UNITS.schema, cells, strict=True))
    found = SECTION.findings(study(rows, held, cosines=cosines, units=[unit]))
    assert found[-2].endswith("shuffled labels: ward \u22120.25 (0.10).")
    assert "1 hidden unit of layers 1 to 1" in found[-1]
    assert "cosine 0.40" in found[-1]


def test_why_there_are_no_units() -> None:
    note = "no value vectors: mixtral is a mixture of experts"
    found = SECTION.findings(study(direction_rows(["ward"]), [], note=note))
    assert found[-1] == f"N{note[1:]}."


def test_the_sheet_has_a_row_per_direction() -> None:
    names = ["ward", "probe"]
    held = [held_row("ward", 0.7, 0.01), held_row("probe", 0.6, None, low=None)]
    (sheet,) = SECTION.sheets(study(direction_rows(names), held))
    assert [row[0] for row in sheet.rows] == names
    assert sheet.rows[0][6:] == (
        "50",
        "70.0%",
        "40.0% to 90.0%",
        "50.0%",
        "+10.0 to +30.0",
        "0.010",
    )
    assert sheet.rows[1][8] == "\u2013"


def test_an_empty_study_says_so() -> None:
    """Neither the page nor the figures need a row."""
    data = study([], [])
    assert SECTION.headline(data) == "Not checked: no direction could be fitted."
    assert (SECTION.findings(data), SECTION.sheets(data)) == ([], [])
    assert SECTION.cases["separation"](data) == "No direction."
    assert SECTION.cases["test_pairs"](data).startswith("No matched pair")
    tables = data.tables
    assert isinstance(draw_separation(tables["directions"]), Figure)
    drawn = draw_test_pairs(
        tables["directions/held_out"], tables["directions/cosines"], 0.95
    )
    assert "no matched pair" in drawn.axes[0].texts[0].get_text()


def test_the_figures_draw_what_exists() -> None:
    """A panel for each direction with vectors, a dot for each with an interval."""
    rows = direction_rows(["ward", "probe"]) + direction_rows(["seal"], why_not="none")
    held = [held_row("ward", 0.7, 0.01), held_row("probe", 0.6, 0.2)]
    few = held_row("venhoff", 0.5, None, low=None, high=None) | {"problems": 3}
    figure = draw_separation(DIRECTIONS.frame(rows))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["ward", "probe"]
    assert figure.axes[0].lines[1].get_ydata().tolist() == [0.3] * 3
    table = DIRECTION_HELD_OUT.frame([*held, few])
    cosines = DIRECTION_COSINES.frame([])
    drawn = draw_test_pairs(table, cosines, 0.95)
    labels = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    assert labels == ["ward (b. 2)", "probe (b. 2)"]
