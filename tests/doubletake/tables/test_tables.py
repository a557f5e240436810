"""Tables keep their contract when they are written and read."""

import polars as pl
import pytest

from doubletake.running.errors import InputError
from doubletake.study.registry import tables
from early_exit.tables import EARLY_EXIT
from problems.tables import PROBLEMS

WITHOUT_UNIT = {"brier", "cosine", "cosine_null", "cosine_limit", "strength"}
WITHOUT_UNIT |= {"share_brier", "p", "p_holm", "sign_p", "sign_p_holm", "p_value"}
WITHOUT_UNIT |= {"p_above", "p_above_corrected"}
WITHOUT_UNIT |= {
    f"{name}_{of}"
    for name in ("change", "harmless", "over_share")
    for of in ("p", "holm")
}
MODEL_SCALE = {"norm", "written", "written_random", "along"}
MODEL_SCALE |= {"difference", "difference_low", "difference_high"}
"""Numbers on the scale of the model's own activations."""
ROW = {"problem": "00000", "question": "q", "gold": "1", "solution": "#### 1"}


def test_a_table_is_read_as_written(tmp_path):
    table = PROBLEMS.frame([ROW])
    PROBLEMS.write(table, tmp_path / "problems.parquet")
    assert PROBLEMS.read(tmp_path / "problems.parquet").equals(table)
    assert [path.name for path in tmp_path.iterdir()] == ["problems.parquet"]


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_empty_tables_keep_the_contract(table, tmp_path):
    table.write(table.frame([]), tmp_path / "empty.parquet")
    assert table.read(tmp_path / "empty.parquet").height == 0


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_every_column_says_what_it_means(table):
    assert all(column.meaning for column in table.columns)


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_every_number_has_a_unit(table):
    without = {
        column.name
        for column in table.columns
        if getattr(column.dtype, "inner", column.dtype).is_numeric() and not column.unit
    }
    activations = {name for name in without if name.startswith("at_")}
    assert without - activations <= WITHOUT_UNIT | MODEL_SCALE


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame([ROW]).drop("gold"), "expected the columns"),
        (pl.DataFrame([ROW]).with_columns(gold=pl.lit(1)), "column gold is"),
        (
            pl.DataFrame([ROW]).with_columns(gold=pl.lit(None, pl.String)),
            "1 nulls in column gold",
        ),
    ],
)
def test_a_broken_contract_is_named(frame, message):
    with pytest.raises(InputError, match=message):
        PROBLEMS.check(frame)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "early_exit.parquet"
    EARLY_EXIT.write(EARLY_EXIT.frame([]), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"early_exit\.parquet"):
        EARLY_EXIT.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.parquet"):
        PROBLEMS.read(tmp_path / "nowhere.parquet")
