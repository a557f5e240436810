"""Means, leading words and figures of the lens, against counts by hand."""

import warnings

import polars as pl
import pytest
from tiny_lens import DRAWS

from doubletake.page.plots import save_figure
from doubletake.stats.intervals import IntervalSettings
from logit_lens import plot as plot_logit_lens
from logit_lens import summarise as summarise_logit_lens
from logit_lens.pairs import readings_of
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_LEADING,
    LOGIT_LENS_PARTS,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
    VOCABULARY,
)
from matches.tables import MATCHES
from turns.tables import TURNS

INTERVALS = IntervalSettings(least_problems=3)


def test_summaries_are_what_counting_gives(lens, readings, random_groups):
    summary = summarise_logit_lens.summarise(readings, random_groups, INTERVALS)
    LOGIT_LENS_SUMMARY.check(summary)
    own = pl.col("kind").is_in(["matched", "difference"])  # see test_pairs
    counted = summary.filter(~own, layer=1)
    assert counted["kind"].n_unique() == 3
    for row in counted.iter_rows(named=True):
        part = lens.filter(kind=row["kind"], component=row["component"], layer=1)
        assert row["positions"] == part.height
        values = part[row["group"]]
        if row["logit"] == "raw":
            values = values + part["vocabulary"]
        assert row["mean"] == pytest.approx(values.mean())
        assert row["low"] <= row["mean"] + 1e-9
        assert row["high"] >= row["mean"] - 1e-9
    drawn = summary.drop_nulls("random")
    assert drawn.select("group", "logit").unique().rows() == [("backtrack", "centred")]
    row = drawn.filter(component="mlp_out", kind="control", layer=1).row(0, named=True)
    means = random_groups.filter(component="mlp_out", kind="control", layer=1)["mean"]
    assert row["random"] == pytest.approx(means.mean())
    inside = means.is_between(row["random_low"], row["random_high"]).sum()
    assert inside >= DRAWS - 2  # 95% of 40


def test_parts_are_sums_over_layers(lens, readings, random_groups):
    parts = summarise_logit_lens.parts_table(readings, random_groups, INTERVALS)
    LOGIT_LENS_PARTS.check(parts)
    back = lens.filter(kind="backtrack")
    positions = back.select("trace", "event").n_unique()
    at = {
        (row["part"], row["logit"]): row
        for row in parts.filter(kind="backtrack").iter_rows(named=True)
    }
    for part in ("embed", "attn_out", "mlp_out"):
        rows = back.filter(component=part)
        total = rows["backtrack"].sum() / positions
        assert at[part, "centred"]["mean"] == pytest.approx(total)
        raw = total + rows["vocabulary"].sum() / positions
        assert at[part, "raw"]["mean"] == pytest.approx(raw)
        drawn = random_groups.filter(kind="backtrack", component=part)
        assert at[part, "centred"]["random"] == pytest.approx(
            drawn["mean"].sum() / DRAWS
        )
        assert at[part, "raw"]["random"] is at[part, "equal"]["random"] is None
        equal = rows["backtrack_equal"].sum() / positions
        assert at[part, "equal"]["mean"] == pytest.approx(equal)
        assert at[part, "equal_raw"]["mean"] == pytest.approx(equal + raw - total)
    difference = at["difference", "centred"]
    assert difference["positions"] == positions
    for name in ("mean", "random"):
        attention, mlps = (
            at[part, "centred"][name] for part in ("attn_out", "mlp_out")
        )
        assert difference[name] == pytest.approx(attention - mlps)
    assert difference["low"] < difference["mean"] < difference["high"]


def leading_rows(tops_by_position: list[list[bool]]) -> pl.DataFrame:
    """Rows of the residual stream: whether token 1 leads at every boundary."""
    rows = [
        {"trace": f"{k}/0", "problem": f"{k}", "event": 0, "kind": "backtrack"}
        | {"component": "resid", "layer": layer, "backtrack": 0.0, "wrap_up": 0.0}
        | {"vocabulary": 0.0, "backtrack_equal": 0.0, "backtrack_logprob": -1.0}
        | {"top_ids": [1 if leads else 7]}
        for k, leads_at in enumerate(tops_by_position)
        for layer, leads in enumerate(leads_at)
    ]
    return LOGIT_LENS.frame(rows)


def test_a_word_that_leads_for_a_moment_does_not_lead_to_the_end():
    """Most lead first at boundary 1 and lose again."""
    lens = leading_rows(
        [
            [False, True, False, False],
            [False, True, False, False],
            [False, True, False, True],
            [False, True, True, True],
            [True, True, True, True],
        ]
    )
    readings = readings_of(lens, MATCHES.frame([]), [1, 2])
    leading = summarise_logit_lens.leading_boundaries(readings, INTERVALS)
    LOGIT_LENS_LEADING.check(leading)
    assert leading["kind"].unique().to_list() == ["backtrack"]
    assert leading["boundary"].to_list() == [0, 1, 2, 3]
    assert leading["share_leading"].to_list() == pytest.approx([0.2, 1.0, 0.4, 0.6])
    assert leading["leading_to_the_end"].to_list() == [1, 1, 0, 1]
    assert leading["positions"].to_list() == [5] * 4


def test_words_are_counted_by_boundary(lens):
    ids = lens["top_ids"].explode().drop_nulls().unique()
    rows = [{"token_id": token_id, "text": f"<{token_id}>"} for token_id in ids]
    table = summarise_logit_lens.word_counts(lens, VOCABULARY.frame(rows))
    LOGIT_LENS_WORDS.check(table)
    part = table.filter(kind="control", boundary=2)
    resid = lens.filter(kind="control", layer=2, component="resid")
    for row in part.iter_rows(named=True):
        assert row["text"] == f"<{row['token_id']}>"
        assert row["positions"] == resid.height
        tops = resid["top_ids"].to_list()
        assert row["leading"] == sum(ids[0] == row["token_id"] for ids in tops)
        assert row["among_top"] == sum(row["token_id"] in ids for ids in tops)
    assert part["leading"].sum() <= resid.height


def test_figures_are_drawn_and_equal_data_give_equal_bytes(
    study, readings, random_groups, tmp_path
):
    leading = summarise_logit_lens.leading_boundaries(readings, INTERVALS)
    summary = summarise_logit_lens.summarise(readings, random_groups, INTERVALS)
    LOGIT_LENS_LEADING.write(leading, tmp_path / "leading.parquet")
    LOGIT_LENS_SUMMARY.write(summary, tmp_path / "summary.parquet")
    for turn in ("a", "b"):
        plot_logit_lens.main(
            turns_path=study.folder / "turns.parquet",
            summary_path=tmp_path / "summary.parquet",
            leading_path=tmp_path / "leading.parquet",
            layers_figure=tmp_path / f"layers-{turn}.svg",
            leading_figure=tmp_path / f"leading-{turn}.svg",
            words_figure=tmp_path / f"words-{turn}.svg",
            confidence=0.95,
        )
    for name in ("layers", "leading", "words"):
        one, other = (tmp_path / f"{name}-{turn}.svg" for turn in ("a", "b"))
        assert one.read_bytes() == other.read_bytes()


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_means_of_too_few_problems_have_no_interval_and_are_not_drawn(
    readings, random_groups
):
    few = IntervalSettings(least_problems=99)
    leading = summarise_logit_lens.leading_boundaries(readings, few)
    summary = summarise_logit_lens.summarise(readings, random_groups, few)
    drawn = summary.filter(pl.col("component") != "embed")
    for table, rows, figure in (
        (summary, drawn, plot_logit_lens.draw_layers(summary, 0.95)),
        (leading, leading, plot_logit_lens.draw_leading(leading, 0.95)),
    ):
        assert table["low"].is_null().all()
        assert table["high"].is_null().all()
        points = [
            rows.filter(pl.col("kind").is_in(kinds)).height
            for kinds in (["matched", "control"], ["backtrack"])
        ]
        (text,) = texts_of(figure)
        for number in points:
            assert f"Not checked, so not drawn: {number} points" in text


def leading_row(kind, boundary, problems, low):
    row = {"kind": kind, "boundary": boundary, "positions": 2 * problems}
    row |= {"problems": problems, "share_leading": 0.5, "low": low, "high": low}
    return row | {"leading_to_the_end": None if kind == "difference" else 1}


def lines_of(figure):
    return {line.get_label() for line in figure.axes[0].get_lines()}


@pytest.mark.parametrize(
    ("pairs", "low", "lines"),
    [
        (12, 0.5, {"at backtracks with a control", "at their controls"}),
        (4, None, {"at backtracks"}),
        (0, None, {"at backtracks"}),
    ],
)
def test_controls_are_drawn_beside_the_backtracks_of_their_pairs(pairs, low, lines):
    rows = [leading_row("backtrack", k, 30, 0.5) for k in range(3)]
    if pairs:
        rows += [
            leading_row(kind, k, pairs, low)
            for kind in ("matched", "control", "difference")
            for k in range(3)
        ]
    figure = plot_logit_lens.draw_leading(LOGIT_LENS_LEADING.frame(rows), 0.95)
    assert lines_of(figure) == lines
    note = figure.get_supxlabel()
    assert f"{2 * pairs} pairs of a backtrack and its control, of 60 " in note
    assert ("6 points without an interval (problems: 4)" in note) == (pairs == 4)


def test_without_positions_there_are_empty_figures():
    summary, leading = LOGIT_LENS_SUMMARY.frame([]), LOGIT_LENS_LEADING.frame([])
    for figure in (
        plot_logit_lens.draw_layers(summary, 0.95),
        plot_logit_lens.draw_leading(leading, 0.95),
        plot_logit_lens.draw_words(TURNS.frame([])),
    ):
        assert any("Nothing to draw" in text for text in texts_of(figure))


def test_tokens_of_any_script_are_drawn_or_named(tmp_path):
    tokens = [
        "\u7b49",
        " \u0627\u0646\u062a\u0638\u0631",
        "\U0001f914",
        "\u0301",
        "$5 $",
    ]
    tokens += ["\u3000\u7b49", "\u202e", "\n\n", " Wait"]
    rows = {"predicted_text": tokens, "is_word": [False] * len(tokens)}
    turns = pl.DataFrame(rows).with_columns(kind=pl.lit("backtrack"), ordinal=1)
    figure = plot_logit_lens.draw_words(turns)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, tmp_path / "words.svg")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "\u2423\u0627\u0646\u062a\u0638\u0631" in labels
    assert {"\u25cc\u0301", "\\u202e", "\u21b5\u21b5", "\u2423Wait"} <= set(labels)
    assert "<text" not in (tmp_path / "words.svg").read_text()
