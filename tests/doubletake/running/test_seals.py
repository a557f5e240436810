"""Every changed byte of a sealed file is noticed, and the file is named."""

import polars as pl
import pytest

from doubletake.page.plots import new_figure, save_figure
from doubletake.running.errors import InputError
from doubletake.running.seals import MARK, read_sealed, sealed
from problems.tables import PROBLEMS

ROW = {"problem": "00000", "question": MARK + "q", "gold": "1", "solution": "#### 1"}


def test_every_flipped_byte_of_a_table_is_noticed(tmp_path):
    path = tmp_path / "problems.parquet"
    table = PROBLEMS.frame([ROW])
    PROBLEMS.write(table, path)
    whole = path.read_bytes()
    for index in range(len(whole)):
        for change in (1, 128, 255):
            flipped = bytearray(whole)
            flipped[index] ^= change
            path.write_bytes(flipped)
            with pytest.raises(InputError, match=r"problems\.parquet is damaged"):
                PROBLEMS.read(path)
    path.write_bytes(whole)
    assert PROBLEMS.read(path).equals(table)


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "problems.parquet"
    PROBLEMS.write(PROBLEMS.frame([ROW]), path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"problems\.parquet is damaged"):
            PROBLEMS.read(path)


def test_equal_tables_give_equal_bytes(tmp_path):
    rows = [ROW | {"problem": f"{k:05d}"} for k in range(300)]
    for name in ("a", "b"):
        PROBLEMS.write(PROBLEMS.frame(rows), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_programs_read_a_sealed_table(tmp_path):
    from pyarrow import parquet

    path = tmp_path / "problems.parquet"
    PROBLEMS.write(PROBLEMS.frame([ROW]), path)
    assert pl.read_parquet(path).to_dicts() == [ROW]
    assert parquet.read_table(path).to_pylist() == [ROW]


def test_a_table_of_another_program_is_refused(tmp_path):
    path = tmp_path / "problems.parquet"
    PROBLEMS.frame([ROW]).write_parquet(path)
    with pytest.raises(InputError, match="holds no digest of itself"):
        PROBLEMS.read(path)


def test_a_damaged_figure_is_noticed(tmp_path):
    path = tmp_path / "figure.svg"
    figure, axes = new_figure()
    axes[0, 0].plot([1, 2], [1, 2])
    save_figure(figure, path)
    whole = path.read_bytes()
    assert read_sealed(path) == whole
    for index in range(0, len(whole), 97):
        path.write_bytes(whole[:index] + b"\x01" + whole[index + 1 :])
        with pytest.raises(InputError, match=r"figure\.svg is damaged"):
            read_sealed(path)


def test_data_without_a_mark_cannot_be_sealed():
    with pytest.raises(ValueError, match="no place"):
        sealed(b"nothing")
