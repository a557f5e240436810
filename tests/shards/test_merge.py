"""The parts of a table, joined."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from activations.tables import ACTIVATION_INDEX
from doubletake.running.errors import InputError
from doubletake.study.declaration import Stage
from doubletake.tables.runs import RUNS
from doubletake.tables.table import Table
from doubletake.tables.verification import VERIFICATION
from shards.merge import main


def index_row(trace: str, event: int, shard: str = "1-of-2") -> dict:
    row = {"row": event, "shard": shard, "trace": trace, "event": event}
    return row | {"token": 5}


def figure(merge: str, value: float | None, n: int, statistic: str = "f") -> dict:
    row = {"stage": "s", "check": "c", "statistic": statistic, "value": value}
    return row | {"unit": "nats", "n": n, "bound": 0.5, "merge": merge}


def stage_of(*shards: Table) -> Stage:
    return Stage(name="s", order=0, title="", holds="", tables=(), shards=shards)


def merged(folder: Path, table: Table, parts: list[list[dict]]):
    paths = [folder / f"{k}.parquet" for k in range(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        table.write(table.frame(rows), path)
    result = folder / "merged.parquet"
    stage, key = stage_of(table), table.key
    main(stage=stage, part_paths={key: paths}, table_paths={key: result})
    return table.read(result)


def test_rows_are_sorted_and_ties_keep_the_order_of_the_parts(tmp_path):
    first = [index_row("b", 0), index_row("a", 1)]
    second = [index_row("a", 0), index_row("a", 1, "2-of-2")]
    table = merged(tmp_path, ACTIVATION_INDEX, [first, second])
    assert table.select("trace", "event", "shard").rows() == [
        ("a", 0, "1-of-2"),
        ("a", 1, "1-of-2"),
        ("a", 1, "2-of-2"),
        ("b", 0, "1-of-2"),
    ]


def test_a_table_without_sort_keeps_the_order_of_the_parts(tmp_path):
    parts = [[figure("max", 0.1, 1, "b")], [], [figure("max", 0.1, 1, "a")]]
    table = merged(tmp_path, replace(VERIFICATION, sort=()), parts)
    assert table["statistic"].to_list() == ["b", "a"]


def test_empty_parts_give_an_empty_table(tmp_path):
    assert merged(tmp_path, RUNS, [[], []]).height == 0


def test_figures_merge_into_those_of_the_whole(tmp_path):
    first = [
        figure("max", 0.3, 10),
        figure("mean", 0.1, 10),
        figure("sum", 10.0, 10),
        figure("mean", 0.2, 10, "another"),
    ]
    second = [
        figure("max", 0.2, 30),
        figure("mean", 0.3, 30),
        figure("sum", 30.0, 30),
        figure("mean", 0.6, 30, "another"),
    ]
    table = merged(tmp_path, VERIFICATION, [first, second])
    assert table["value"].to_list() == pytest.approx([0.3, 0.25, 40.0, 0.5])
    assert table["n"].to_list() == [40, 40, 40, 40]
    assert table["bound"].to_list() == [0.5] * 4


def test_a_figure_that_does_not_say_how_it_merges_is_refused():
    for merge, message in ((None, "1 nulls in column merge"), ("min", "'min', not")):
        with pytest.raises(InputError, match=message):
            VERIFICATION.frame([figure(merge, 0.3, 10)])


def test_words_of_a_statistic_do_not_decide_how_it_merges(tmp_path):
    parts = [[figure("max", x, 1, "mean of n tokens")] for x in (0.2, 0.4)]
    assert merged(tmp_path, VERIFICATION, parts)["value"].to_list() == [0.4]


def test_figures_of_a_shard_without_cases_do_not_count(tmp_path):
    parts = [
        [figure("mean", None, 0), figure("max", None, 0)],
        [figure("mean", 0.4, 5), figure("max", 0.9, 5)],
    ]
    assert merged(tmp_path, VERIFICATION, parts)["value"].to_list() == [0.4, 0.9]


def test_figures_without_any_case_have_no_value(tmp_path):
    parts = [[figure("mean", None, 0), figure("max", None, 0)]] * 2
    assert merged(tmp_path, VERIFICATION, parts)["value"].to_list() == [None, None]


def test_values_of_parts_without_cases_are_ignored(tmp_path):
    names = ("mean", "max", "sum")
    parts = [[figure(name, 0.0, 0) for name in names]] * 2
    table = merged(tmp_path, VERIFICATION, parts)
    assert table["value"].to_list() == [None] * 3
    assert table["n"].to_list() == [0] * 3
    some = [figure(name, -3.0, 2) for name in names]
    table = merged(tmp_path, VERIFICATION, [parts[0], some])
    assert table["value"].to_list() == [-3.0] * 3
    assert table["n"].to_list() == [2] * 3


def test_a_nan_in_one_part_makes_the_figure_nan(tmp_path):
    parts = [
        [figure("mean", math.nan, 2), figure("max", math.nan, 2)],
        [figure("mean", 0.4, 5), figure("max", 0.9, 5)],
    ]
    for order in (parts, parts[::-1]):
        values = merged(tmp_path, VERIFICATION, order)["value"].to_list()
        assert all(map(math.isnan, values))


def test_part_of_another_table_is_refused_by_name(tmp_path):
    path = tmp_path / "part.parquet"
    RUNS.write(RUNS.frame([]), path)
    with pytest.raises(InputError, match=r"activations/index .*part\.parquet"):
        main(
            stage=stage_of(ACTIVATION_INDEX),
            part_paths={"index": [path]},
            table_paths={"index": tmp_path / "merged.parquet"},
        )


def test_a_table_is_sorted_by_columns_that_it_has():
    with pytest.raises(ValueError, match="no column token"):
        replace(RUNS, sort=("token",))


def test_torch_is_not_imported():
    code = "import shards.merge, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
