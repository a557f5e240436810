"""Sections of several studies: one per experiment, tables put together."""

from urllib.parse import unquote

import pytest
from tiny_report import Study

from doubletake.page.sections import Sheet
from doubletake.study.registry import experiments
from report.merged_sheets import merged_sheets


def test_an_experiment_has_one_section_for_all_studies(render):
    page = render(Study(), Study("more"))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    summaries = [
        " ".join(block.split()) for block in page.blocks if block.strip() != ""
    ]
    for experiment in experiments():
        assert experiment.name in ids
        assert {f"tiny/data/{experiment.name}", f"tiny/more/{experiment.name}"} < set(
            ids
        )
        assert summaries.count(experiment.question) == 1
        assert page.has("All studies.", experiment.comparison.caption)


def test_one_study_has_no_figure_of_all_studies(render):
    page = render(Study())
    assert not page.has("All studies.")
    assert "early_exit" not in page.values("id")
    assert "tiny/data/early_exit" in page.values("id")


def test_the_numbers_of_all_studies_are_linked(render, tmp_path):
    page = render(Study(), Study("more"))
    links = [unquote(value) for value in page.values("href")]
    for experiment in experiments():
        for suffix in ("svg", "csv"):
            link = f"comparisons/{experiment.name}.{suffix}"
            assert link in links
            assert (tmp_path / link).is_file()


def test_every_address_of_the_page_leads_somewhere(render):
    page = render(Study(), Study("more"))
    ids = set(page.values("id"))
    inside = [link[1:] for link in page.values("href") if link.startswith("#")]
    assert len(inside) > 2 * len(experiments())
    assert set(inside) <= ids


def sheet(rows, title="T", columns=("a", "b"), note="", words=(0,)):
    return Sheet(title, columns, rows, words, note)


def test_tables_of_equal_shape_become_one():
    one, two = sheet((("x", "1"), ("y", "2"))), sheet((("x", "3"),))
    (merged,) = merged_sheets({"s": [one], "t": [two]})
    assert merged.columns == ("study", "a", "b")
    assert merged.rows == (("s", "x", "1"), ("", "y", "2"), ("t", "x", "3"))
    assert merged.words == (0, 1)


def test_tables_of_another_shape_stay_apart():
    other = sheet((("x", "3"),), columns=("a", "c"))
    merged = merged_sheets({"s": [sheet((("x", "1"),))], "t": [other]})
    assert [table.columns for table in merged] == [
        ("study", "a", "b"),
        ("study", "a", "c"),
    ]
    assert merged[0].rows == (("s", "x", "1"), ("t", "–", "–"))
    assert merged[1].rows == (("s", "–", "–"), ("t", "x", "3"))


def test_two_tables_of_one_shape_in_a_study_are_refused():
    twice = [sheet((("x", "1"),)), sheet((("y", "2"),))]
    with pytest.raises(ValueError, match="s has two tables 'T' of one shape"):
        merged_sheets({"s": twice})


def test_facts_get_a_column_per_study():
    columns = ("", "", "out of")
    one = sheet((("right", "50%", "1 of 2"), ("long", "7", "")), columns=columns)
    two = sheet((("right", "25%", "1 of 4"),), columns=columns)
    (merged,) = merged_sheets({"s": [one], "t": [two]})
    assert merged.columns == ("", "s", "t")
    assert merged.rows == (
        ("right", "50%; 1 of 2", "25%; 1 of 4"),
        ("long", "7", "–"),
    )


def test_notes_that_differ_name_their_study():
    rows = (("x", "1"),)
    same = {"s": [sheet(rows, note="n")], "t": [sheet(rows, note="n")]}
    assert merged_sheets(same)[0].note == "n"
    unlike = {"s": [sheet(rows, note="n")], "t": [sheet(rows, note="m")]}
    assert merged_sheets(unlike)[0].note == "s: n t: m"
