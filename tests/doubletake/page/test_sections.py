"""Printed tables: long tables are folded."""

import pytest

from doubletake.page.sections import LONGEST, Sheet


@pytest.mark.parametrize(
    ("rows", "folded", "folds"),
    [(LONGEST, False, False), (LONGEST + 1, False, True), (1, True, True)],
)
def test_long_tables_fold(rows, folded, folds):
    sheet = Sheet("Layers", ("layer",), (("0",),) * rows, folded=folded)
    assert sheet.folds is folds
