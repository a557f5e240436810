"""The sentences on repair follow from tests; empty studies are said to be so."""

import polars as pl
import pytest
from matplotlib.figure import Figure
from tiny_repair import arrivals_of
from tiny_report import SETTINGS, trace_row

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from events.tables import EVENTS
from repair.causes import changes_by_cause
from repair.changes import (
    belief_shift,
    gain_by_arrival,
    lost_answers,
    rates_by_arrival,
    thought_on,
)
from repair.page import SECTION
from repair.plot import draw_causes, draw_gains, draw_rates
from repair.tables import ARRIVALS, BY_CAUSE, GAINS, RATES
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

INTERVALS = IntervalSettings(**SETTINGS["intervals"])
WRITTEN = {key: value for key, value in SETTINGS.items() if key != "generation"}
SAME = [(["8", "8"], "8")] * 12
MENDED = [(["7", "8"], "8")] * 9
SPOILED = [(["8", "7"], "7")] * 9
MIXED = MENDED[:4] + SPOILED[:4]
NOTHING = ARRIVALS.frame([])


def study(arrivals, settings=SETTINGS, *, answer="8", left_out=0):
    """A study with these arrivals; each of its thoughts has a trace and a point."""
    cases = thought_on(arrivals)
    names = [name.split("/")[0] for name in arrivals["trace"].unique()] or ["0"]
    point = pl.DataFrame({"trace": names, "left_out": left_out})
    tables = {
        "traces": TRACES.frame([trace_row(name, "Hm.", answer) for name in names]),
        "events": EVENTS.frame([]),
        "trial_points": TRIAL_POINTS.frame([]).join(
            point, on=["trace", "left_out"], how="full", coalesce=True
        ),
        "repair/arrivals": arrivals,
        "repair/rates": rates_by_arrival(cases, INTERVALS),
        "repair/gains": gain_by_arrival(cases, INTERVALS),
        "repair/shifts": belief_shift(cases, INTERVALS),
        "repair/lost": lost_answers(cases, INTERVALS),
        "repair/causes": changes_by_cause(
            cases.filter(pl.col("cause").is_not_null()), INTERVALS
        ),
    }
    return StudyData("tiny", "data", tables, settings)


def headline(*thoughts, settings=SETTINGS):
    return SECTION.headline(study(arrivals_of(*thoughts), settings))


def text_of(data):
    return " ".join(SECTION.findings(data))


def test_a_gain_or_loss_is_claimed_only_if_its_test_shows_it():
    gained = headline(*SAME, *MENDED)
    assert gained.startswith("Thinking on after arrival 1 gains accuracy (+42.9 points")
    assert "21 thoughts on 21 problems; 100.0 tokens on average)" in gained
    assert "; arrival 2 is not checked (fewer than 3 problems, or fewer than" in gained
    lost = headline(*SAME, *SPOILED)
    assert lost.startswith("Thinking on after arrival 1 loses accuracy (\u221242.9")
    neither = headline(*SAME, *MIXED)
    assert neither.startswith(
        "After arrival 1 no gain or loss by thinking on is shown (+0.0 points"
    )
    few = headline(*SAME, *MENDED[:5])
    assert few.startswith("Not checked: no arrival has thoughts on enough problems")
    assert "17 thoughts with arrival 1 before the end" in few


def test_p_values_are_those_corrected_for_the_number_of_arrivals():
    data = study(arrivals_of(*SAME, *MENDED))
    gains = data.tables["repair/gains"].with_columns(
        p=pl.lit(0.001), p_holm=pl.lit(0.06)
    )
    data.tables["repair/gains"] = gains
    assert "no gain or loss by thinking on is shown" in SECTION.headline(data)
    assert "gains accuracy" not in SECTION.headline(data)


def test_a_reader_does_not_think_on():
    for thoughts, words in (
        (MENDED, "tiny, as a reader, is right less often than the thoughts end right"),
        (SPOILED, "tiny, as a reader, is right more often than the thoughts end right"),
        (MIXED, "no difference is shown between the answers of tiny, as a reader"),
    ):
        data = study(arrivals_of(*SAME, *thoughts), WRITTEN)
        assert words in SECTION.headline(data)
        said = f"{SECTION.headline(data)} {text_of(data)}"
        assert "thinking on" not in said.lower()
        assert SECTION.tiles(data) == []
    assert "the forced answer of tiny, as a reader, changes in" in said


def test_rates_and_price_of_all_arrivals():
    text = text_of(study(arrivals_of(*SAME, *MENDED, *SPOILED[:2])))
    assert "81.8% " in text  # 9 of 11 wrong answers end right: two at arrival 2 do not
    assert "of 11 wrong answers end right and 5.7% " in text
    assert "of 35 right answers end wrong" in text
    assert "+15.2 points (95% interval" in text
    assert "over 46 arrivals on 23 problems, for 75.0 tokens of thinking on" in text
    assert "+20.3 points per 100 tokens" in text


@pytest.mark.parametrize(
    ("thoughts", "words"),
    [
        (MENDED, "it changes more often across a turn (difference +42.9 points"),
        ([(["8", "8"], "7")] * 9, "it changes less often across a turn"),
        ([(["7", "8"], "8"), (["8", "8"], "7")] * 4, "no difference is shown (diff"),
    ],
)
def test_shifts_are_compared_by_their_interval(thoughts, words):
    text = text_of(study(arrivals_of(*SAME, *thoughts)))
    assert words in text
    assert "This is not the effect of turning back" in text


def test_shifts_without_a_comparison_are_not_checked():
    text = text_of(study(arrivals_of(*SAME, *MENDED).filter(arrival=1)))
    assert "is not checked: no step from an arrival to the next one, or to the" in text
    assert "goes without a turn" in text
    text = text_of(study(arrivals_of(*SAME[:1], *MENDED[:1])))
    assert "whether it changes more often across a turn is not checked" in text


def test_lost_answers_are_counted_both_ways():
    arrivals = arrivals_of(*SAME, *SPOILED[:3], *[(["7", "7"], "8")] * 5)
    text = text_of(study(arrivals))
    assert "Of 20 thoughts with an arrival before the end, 15.0% (" in text
    assert "are right at an arrival and end wrong, and 25.0% (" in text


def planted():
    return pl.concat(
        [
            arrivals_of(*SAME, *MENDED, cause="slip"),
            arrivals_of(*SAME, *MIXED, cause="none"),
            arrivals_of(*SAME, cause="open_word"),
        ]
    )


def test_causes_have_the_verdicts_of_their_tests():
    data = study(planted())
    text = text_of(data)
    assert "more answers are right after a turn after a slip (+21.4 points" in text
    assert "no change of accuracy is shown after a turn without a cause (+0.0" in text
    assert "a turn after an open word: not checked (fewer than 3 problems" in text
    assert "100.0% (" in text.split("With a turn after a slip, ")[1]
    assert "of 9 wrong answers are repaired" in text
    assert "planted cause" not in text_of(study(arrivals_of(*SAME)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (0, "both are right, or both wrong, in each of them"),
        (3, "Whether the form matters is not checked: too few differ"),
        (9, "the form of the answer matters by itself (own minus forced +42.9 points"),
    ],
)
def test_the_form_of_the_answer_is_tested_at_the_end(wrong, words):
    names = [f"{k}/0" for k in range(wrong)]
    arrivals = arrivals_of(*SAME, *MENDED).with_columns(
        forced_end_correct=~pl.col("trace").is_in(names)
    )
    assert words in text_of(study(arrivals))


def test_what_is_left_out_is_said():
    arrivals = arrivals_of(*SAME)
    late = arrivals.with_columns(
        tokens_after=pl.when(arrival=2).then(0).otherwise("tokens_after")
    )
    text = text_of(study(late.cast(ARRIVALS.schema)))
    assert "12 of these points are the end of the thought and are left out" in text
    assert "most_points" not in text
    assert "cut off" not in text
    text = text_of(study(arrivals, answer=None, left_out=2))
    assert "trial_points.most_points leaves out 24 trial points" in text
    assert "12 of 12 thoughts were cut off before they closed" in text


@pytest.mark.parametrize("settings", [SETTINGS, WRITTEN])
def test_a_study_without_arrivals_is_not_checked(settings):
    kinds = settings["trial_points"] | {"kinds": ["sentence"]}
    late = arrivals_of(*SAME).with_columns(tokens_after=pl.lit(0, pl.Int32))
    for arrivals, own, reason in (
        (NOTHING, settings, "no arrival is known while one of 1 thought runs"),
        (late, settings, "arrivals of 12 thoughts are known only at their ends"),
        (NOTHING, settings | {"trial_points": kinds}, "trial_points.kinds"),
    ):
        data = study(arrivals, own)
        assert SECTION.headline(data).startswith("Not checked: ")
        assert reason in SECTION.headline(data)
        assert SECTION.findings(data) == SECTION.sheets(data) == []
        assert SECTION.tiles(data) == []
        assert all(cases(data) for cases in SECTION.cases.values())


def test_sheets_have_a_cell_for_every_column():
    gains, rates, shifts, lost, causes = SECTION.sheets(study(planted()))
    for sheet in (gains, rates, shifts, lost, causes):
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)}
    assert [row[0] for row in gains.rows] == ["1", "2", "all", "the end"]
    assert [row[0] for row in rates.rows] == ["all", "1", "2"]
    assert [row[0] for row in causes.rows] == ["slip", "open word", "none"]
    assert [row[0] for row in lost.rows] == ["any", "1"]
    without = SECTION.sheets(study(arrivals_of(*SAME)))
    assert len(without) == 4


def test_the_tile_is_the_gain_after_the_first_arrival():
    (tile,) = SECTION.tiles(study(arrivals_of(*SAME, *MENDED)))
    assert tile.value == "+42.9"
    assert "21 thoughts that run on" in tile.base


def test_figures_are_drawn_with_and_without_data():
    full = study(planted()).tables
    few = study(arrivals_of(*SAME[:2], cause="slip")).tables
    many = study(arrivals_of(*[(["7", *["8"] * 40], "8")] * 4)).tables
    for tables in (full, few, many):
        for draw, name in (
            (draw_rates, "rates"),
            (draw_gains, "gains"),
            (draw_causes, "causes"),
        ):
            assert isinstance(draw(tables[f"repair/{name}"], 0.95), Figure)
    for draw, table in (
        (draw_rates, RATES),
        (draw_gains, GAINS),
        (draw_causes, BY_CAUSE),
    ):
        (axes,) = draw(table.frame([]), 0.95).axes
        assert axes.texts[0].get_text().startswith("Nothing to draw: no arrival")
