"""Early-exit figures: what they show, also when there is nothing to draw."""

from pathlib import Path

import polars as pl
import pytest

from early_exit.calibration import brier_score
from early_exit.calibration_figure import draw_calibration
from early_exit.plot import (
    Settings,
    draw_accuracy,
    draw_confidence,
    final_accuracy,
    main,
)
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)

PUBLISHED = Path(__file__).parents[2] / "resources/reference/early_exit_published.json"
SETTINGS = Settings(groups=[4, 5, 6], confidence=0.95, least_problems=3)


def summary_row(group, number, traces, problems, logit, accuracy, published=None):
    return {
        "arrivals": group,
        "exit": number,
        "traces": traces,
        "problems": problems,
        "logit": logit,
        "logit_low": logit - 1,
        "logit_high": logit + 1,
        "normalised": logit / 40,
        "normalised_low": logit / 50,
        "normalised_high": logit / 30,
        "difference": logit - 20 if number else None,
        "difference_low": logit - 21 if number else None,
        "difference_high": logit - 19 if number else None,
        "accuracy": accuracy,
        "accuracy_low": accuracy / 2 if problems > 2 else None,
        "accuracy_high": (1 + accuracy) / 2 if problems > 2 else None,
        "final_accuracy": 1.0 if group == 4 else 0.5,
        "published_logit": published,
    }


@pytest.fixture
def summary():
    return EARLY_EXIT_SUMMARY.frame(
        [
            summary_row(4, 0, 30, 20, 15.0, 0.1, 14.75),
            summary_row(4, 1, 30, 20, 24.0, 0.8, 23.98),
            summary_row(4, 2, 30, 20, 25.0, 1.0, 24.64),
            summary_row(3, 0, 2, 2, 25.0, 1.0),
            summary_row(5, 0, 10, 10, 15.5, 0.0),
            summary_row(5, 1, 10, 10, 24.5, 0.9),
        ]
    )


@pytest.fixture
def exits():
    rows = [(f"{index % 40}/0", index // 40, -0.01 * index) for index in range(50)]
    return EARLY_EXIT.frame(
        [
            {
                "trace": trace,
                "exit": number,
                "tokens_before": 0,
                "answer": "1",
                "correct": True,
                "ended": True,
                "logit": 1.0,
                "whole_logprob": logprob,
                "margin": 1.0,
                "answer_text": "",
                "entropy": 1.0,
            }
            for trace, number, logprob in rows
        ]
    )


@pytest.fixture
def bins():
    rows = [
        ("no_thought", 0, 30, 0.2, 0.1, 0.3),
        ("no_thought", 1, 10, 0.9, 0.06, 0.8),
        ("arrivals", 0, 10, 0.5, 0.2, 0.9),
    ]
    return EARLY_EXIT_CALIBRATION.frame(
        [
            {
                "part": part,
                "bin": index,
                "exits": exits,
                "problems": 5,
                "lowest": 0.0,
                "highest": 1.0,
                "confidence": confidence,
                "brier": brier,
                "accuracy": accuracy,
                "accuracy_low": accuracy - 0.1,
                "accuracy_high": accuracy + 0.1,
            }
            for part, index, exits, confidence, brier, accuracy in rows
        ]
    )


def texts_of(figure):
    texts = [figure.get_supxlabel()]
    for legend in figure.legends:
        texts += [text.get_text() for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts] + [axes.get_title("left")]
    return "\n".join(texts)


def lines_of(axes):
    return [list(zip(*line.get_data(), strict=True)) for line in axes.get_lines()]


def test_confidence_shows_means_published_numbers_and_cases(summary, exits):
    figure = draw_confidence(summary, exits, SETTINGS)
    raw = lines_of(figure.axes[0])
    assert [(0, 15.0), (1, 24.0), (2, 25.0)] in raw
    assert [(0, 14.75), (1, 23.98), (2, 24.64)] in raw
    text = texts_of(figure)
    assert "4  (n = 30)" in text
    assert "5  (n = 10)" in text
    assert "published means" in text
    assert "40 of 40 traces are drawn" in text
    assert "No trace with 6 arrivals" in text
    assert "Not checked, so hidden: 1 point of fewer than 3 problems." in text


def test_later_exits_are_compared_with_exit_1_also_in_the_published_means(
    summary, exits
):
    figure = draw_confidence(summary, exits, SETTINGS)
    differences = lines_of(figure.axes[3])
    assert [(1, 4.0), (2, 5.0)] in differences
    assert [(1, 0.0), (2, pytest.approx(24.64 - 23.98))] in differences
    assert figure.axes[3].get_title("left") == "Difference from exit 1 of the trace"


def test_a_group_has_one_colour_in_all_panels(summary, exits):
    only_first = summary.filter(~((summary["arrivals"] == 4) & (summary["exit"] > 0)))
    figure = draw_confidence(only_first, exits, SETTINGS)
    legend = {
        handle.get_label()[0]: handle.get_color()
        for handle in figure.legends[0].legend_handles
    }
    zoomed = figure.axes[2].get_lines()
    drawn = {line.get_color() for line in zoomed if len(line.get_xdata())}
    assert drawn == {legend["5"]}


def test_no_published_numbers_for_another_study(summary, exits):
    plain = summary.with_columns(
        published_logit=summary["published_logit"] * float("nan")
    )
    plain = plain.with_columns(plain["published_logit"].fill_nan(None))
    figure = draw_confidence(plain, exits, SETTINGS)
    assert "published" not in texts_of(figure)


def test_accuracy_has_the_final_answer_as_reference(summary, exits):
    figure = draw_accuracy(summary, exits, None, SETTINGS)
    expected = (30 * 1.0 + 10 * 0.5) / 40
    assert final_accuracy(summary) == pytest.approx(expected)
    assert f"final: {expected:.2f}" in texts_of(figure)
    assert "published" not in texts_of(figure)
    assert "about 0.9" in texts_of(draw_accuracy(summary, exits, 0.9, SETTINGS))


def test_calibration_states_the_errors_of_each_part_and_its_cases(bins, exits):
    figure = draw_calibration(bins, exits, SETTINGS.confidence)
    start = bins.filter(part="no_thought")
    assert brier_score(start) == pytest.approx((30 * 0.1 + 10 * 0.06) / 40)
    assert "exit 0\nECE 0.100, Brier 0.090" in texts_of(figure)
    assert "exits from 1 on\nECE 0.400, Brier 0.200" in texts_of(figure)
    assert "50 exits of 40 traces" in texts_of(figure)
    counts = [sum(bar.get_height() for bar in axes.patches) for axes in figure.axes[2:]]
    assert counts == [40, 10]  # histograms of the two parts


def test_calibration_says_which_exits_are_left_out(bins, exits):
    cut = pl.col("trace") == "1/0"
    open_ended = exits.with_columns(
        pl.when(~cut).then("whole_logprob").alias("whole_logprob")
    )
    figure = draw_calibration(bins.filter(part="arrivals"), open_ended, 0.95)
    assert "48 exits" in texts_of(figure)
    assert "2 with no answer or one that has not ended" in texts_of(figure)
    assert "exit 0: no answer" in texts_of(figure)


def test_bins_of_too_few_problems_are_not_drawn(bins, exits):
    ends = ("accuracy_low", "accuracy_high")
    few = bins.with_columns(
        pl.when(pl.col("bin") == 0).then(name).alias(name) for name in ends
    ).with_columns(problems=pl.Series([5, 2, 5], dtype=pl.Int32))
    text = texts_of(draw_calibration(few, exits, 0.95))
    assert (
        "Not checked, so not drawn: 1 point without an interval (problems: 2)" in text
    )
    assert "ECE 0.100" in text  # of all bins
    none = bins.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ends)
    text = texts_of(draw_calibration(none, exits, 0.95))
    assert "3 points without an interval (problems: 5)" in text


def test_empty_figures_give_the_reason(exits):
    none = EARLY_EXIT_SUMMARY.frame([])
    for figure in (
        draw_confidence(none, exits, SETTINGS),
        draw_accuracy(none, exits, None, SETTINGS),
    ):
        assert "Nothing to draw: of 40 traces" in texts_of(figure)
        assert "4, 5, 6 arrivals" in texts_of(figure)
    empty = draw_calibration(EARLY_EXIT_CALIBRATION.frame([]), exits, 0.95)
    assert "No exit has an answer" in texts_of(empty)


def run(folder, exits, summary, bins):
    EARLY_EXIT.write(exits, folder / "exits.parquet")
    EARLY_EXIT_SUMMARY.write(summary, folder / "summary.parquet")
    EARLY_EXIT_CALIBRATION.write(bins, folder / "bins.parquet")
    names = ("confidence", "accuracy", "calibration")
    main(
        exits_path=folder / "exits.parquet",
        summary_path=folder / "summary.parquet",
        bins_path=folder / "bins.parquet",
        published_path=PUBLISHED,
        settings=SETTINGS,
        **{f"{name}_path": folder / f"{name}.svg" for name in names},
    )
    return [(folder / f"{name}.svg").read_bytes() for name in names]


def test_the_same_tables_give_the_same_files(tmp_path, exits, summary, bins):
    first = run(tmp_path, exits, summary, bins)
    assert run(tmp_path, exits, summary, bins) == first


def test_empty_tables_give_figures_too(tmp_path):
    tables = (EARLY_EXIT, EARLY_EXIT_SUMMARY, EARLY_EXIT_CALIBRATION)
    files = run(tmp_path, *(table.frame([]) for table in tables))
    assert all(b"<svg" in file for file in files)
