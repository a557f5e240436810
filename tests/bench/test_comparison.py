"""The table of the benches, and that every bench can be loaded."""

import importlib
import re
import time
from pathlib import Path

import pytest
import run
from comparison import HEAD, Comparison, Other, cpu_seconds

BENCHES = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


def busy(seconds):
    """Use the processor for some time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_can_be_loaded(name):
    assert callable(importlib.import_module(name).main)


def test_a_ratio_is_the_other_divided_by_ours(capsys):
    table = Comparison("stage")
    table.add("case", lambda: busy(0.02), {"slow": Other(lambda: busy(0.08), 2)}, 3)
    *_, row = capsys.readouterr().out.splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["stage", "case", "slow"]
    assert float(cells[5]) == pytest.approx(4, rel=0.3)
    assert cells[6] == "2.00"


def test_a_part_of_the_work_counts_for_the_whole(capsys):
    quarter = Other(lambda: busy(0.02), share=0.25)
    Comparison("stage").add("case", lambda: busy(0.02), {"quarter": quarter}, 3)
    row = capsys.readouterr().out.splitlines()[-1]
    assert float(row.split("|")[6]) == pytest.approx(4, rel=0.3)


def test_another_process_has_its_own_clock(capsys):
    other = Other(lambda: 1.5, own_clock=True)
    Comparison("stage").add("case", lambda: busy(0.01), {"other": other}, 1)
    assert capsys.readouterr().out.splitlines()[-1].split("|")[5].strip() == "1.50"


def test_sleep_takes_no_cpu_seconds():
    assert cpu_seconds(lambda: time.sleep(0.2)) < 0.1


def test_rows_are_collected_and_written_between_the_marks(tmp_path):
    script = tmp_path / "bench_x.py"
    script.write_text(f"print({HEAD!r})\nprint('text')\nprint('| x | 1 |')\n")
    rows, ended_well = run.run(script)
    assert (rows, ended_well) == (["| x | 1 |"], True)
    document = tmp_path / "page.md"
    document.write_text("before\n{}\nold\n{}\nafter\n".format(*run.MARKS))
    run.replace_table(document, run.table_of(rows))
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert re.search(r"Made on \d{4}-\d\d-\d\d by `make bench`", text)
    assert text.count(HEAD) == 1


def test_a_document_without_marks_is_named(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("nothing")
    with pytest.raises(SystemExit, match=r"page\.md: the marks"):
        run.replace_table(document, "table")


def test_a_bench_that_fails_is_told(tmp_path):
    script = tmp_path / "bench_x.py"
    script.write_text("raise SystemExit(3)")
    assert run.run(script) == ([], False)
