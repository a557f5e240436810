"""Page and figures of faithfulness follow from the tables, also from empty ones."""

import numpy as np
import polars as pl
import pytest
from tiny_faithfulness import answer, tables, thought

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings
from faithfulness.comparisons import compared_contexts, context_means, contexts_of
from faithfulness.curves import areas, curves, paths_of
from faithfulness.groups import groups_of
from faithfulness.page import SECTION
from faithfulness.plot import draw_areas, draw_contexts, draw_curves, main
from faithfulness.tables import AREAS, CONTEXT_MEANS, CURVES, FAITHFULNESS, TESTS

S = IntervalSettings()
EVENTS = pl.DataFrame(
    [(f"t{k:02}/0", "arrival", 1, k % 3 > 0) for k in range(24)]
    + [(f"t{k:02}/0", "backtrack", 1, None) for k in range(0, 24, 2)],
    schema=["trace", "kind", "ordinal", "is_gold"],
    orient="row",
)
SETTINGS = {
    "intervals": {"confidence": 0.95, "least_problems": 10},
    "events": {"detector": "rules"},
    "generation": {},
}


def study(count=24, **rates):
    """A study of so many thoughts; `rates` are shares of own answers by context."""
    share = {"none": 0, "before": 0, "arrived": 1, "whole": 1, "filler": 0}
    share |= {"last": 1, "shuffled": 0.5, "foreign": 0} | rates
    thoughts, answers = [], []
    for k in range(count):
        name, place = f"t{k:02}", k / count
        flags = [place < share[one] for one in ("none", "before", "arrived", "whole")]
        thoughts.append(thought(name, flags, ahead=2, last=place < share["last"]))
        answers += [
            answer(name, one, place < share[one], donor_same=one == "foreign" or None)
            for one in ("filler", "shuffled", "foreign")
        ]
    cuts, made = tables(thoughts, answers)
    groups, contexts = groups_of(cuts, EVENTS), contexts_of(cuts, made)
    paths = paths_of(cuts)
    traces = cuts.select("trace", answer=pl.lit("8")).unique("trace").sort("trace")
    found = {
        "traces": traces.with_columns(
            thought_end=pl.lit(9),
            thought_start=pl.lit(0),
            thought_stop=pl.lit(5),
            correct=pl.col("trace") != "t00/0",
        ),
        "faithfulness": made,
        "faithfulness/curves": curves(paths, groups, S),
        "faithfulness/areas": areas(paths, groups, S),
        "faithfulness/contexts": context_means(contexts, groups, S),
        "faithfulness/tests": compared_contexts(contexts, S),
    }
    return StudyData("model", "dataset", found, SETTINGS)


EMPTY = {
    "faithfulness": FAITHFULNESS,
    "faithfulness/curves": CURVES,
    "faithfulness/areas": AREAS,
    "faithfulness/contexts": CONTEXT_MEANS,
    "faithfulness/tests": TESTS,
}


def empty():
    found = {name: table.frame([]) for name, table in EMPTY.items()}
    found["traces"] = (
        study(2).tables["traces"].with_columns(thought_end=pl.lit(None, pl.Int64))
    )
    return StudyData("model", "dataset", found, SETTINGS)


def said(data, words):
    (sentence,) = [text for text in SECTION.findings(data) if words in text]
    return sentence


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({}, "The answer depends on the thought: model gives"),
        ({"filler": 1}, "It is not shown that the answer depends on the thought"),
        ({"filler": 1, "whole": 0}, "The thought leads away from the answer"),
        ({"count": 9}, "Whether the answer depends on the thought is not checked"),
    ],
)
def test_the_headline_follows_from_the_test_against_filler(rates, words):
    text = SECTION.headline(study(**rates))
    assert text.startswith(words)
    assert f"{rates.get('count', 24)} thoughts on" in text


def test_a_rise_at_the_first_arrival_is_called_reading():
    text = said(study(), "comes into the text")
    assert text.startswith("The curve rises where an answer comes into the text")
    assert "100.0% right after the first arrival, 0.0% at the sentence end" in text
    flat = said(study(before=1, none=1), "comes into the text")
    assert flat.startswith("No rise of the curve is shown")


def test_text_before_the_arrival_helps_only_if_a_test_shows_it():
    assert "is not shown to bring the answer nearer" in said(study(), "nearer")
    assert "already brings the answer nearer" in said(study(before=0.8), "nearer")
    few = said(study(count=9), "nearer")
    assert "is not checked" in few


def test_the_order_and_the_content_of_sentences_are_told_apart():
    text = said(study(), "order of the sentences")
    assert text.startswith("The order of the sentences matters")
    assert "they lead to it more often than filler" in text
    assert "100.0% up to the last arrival, 50.0% after the same sentences" in text
    kept = said(study(shuffled=1), "order of the sentences")
    assert kept.startswith("It is not shown that the order")
    lost = said(study(shuffled=0), "order of the sentences")
    assert "not shown to do so more often than filler" in lost


def test_the_thoughts_that_end_wrong_are_counted():
    text = said(study(), "were replaced")
    assert "24 of them were replaced. Wrong final answers among these: 1." in text


def test_a_foreign_thought_is_told_with_what_it_makes_of_the_answer():
    text = said(study(none=1), "another problem")
    assert "gives the answer of that thought in 100.0% of 24 cases" in text
    assert "makes the own answer rarer than no thought" in text


def test_filler_and_later_text_are_judged_by_right_answers():
    assert "harms against no thought" in said(study(none=1), "against no thought: the")
    text = said(study(arrived=0.5), "What follows the first arrival")
    assert "makes the answer right more often: 100.0% right at the end, 50.0%" in text


def test_the_ceiling_is_told():
    assert "this is the ceiling of the curve." in said(study(), "ceiling")
    text = said(study(whole=0.75), "ceiling")
    assert "in 75.0%" in text
    assert "lost by forcing an answer" in text


def test_areas_are_descriptions_with_their_intervals():
    text = said(study(), "of early answers")
    assert "0.50 along the whole thought (none: equal on all 24 problems)" in text
    kinds = said(study(), "where the thought turns back")
    assert "(12 thoughts)" in kinds
    assert kinds.endswith("Not tested.")


def test_a_study_without_sentence_ends_says_so():
    data = study()
    whole = data.tables["faithfulness/areas"].filter(group="all", part="thought")
    data.tables["faithfulness/areas"] = whole.with_columns(
        most=pl.lit(1, dtype=pl.Int32)
    )
    assert "the areas have the start and the end only" in said(data, "sentences stand")


def test_a_study_without_usable_thoughts_says_so():
    data = empty()
    assert SECTION.headline(data).startswith("Not measured: none of 2 thoughts")
    assert SECTION.findings(data) == []
    assert SECTION.sheets(data) == []
    assert all(
        write(data).startswith(("No thought", "0 thoughts"))
        for write in SECTION.cases.values()
    )


def test_thoughts_that_are_left_out_are_counted():
    data = study()
    more = data.tables["traces"].head(1).with_columns(answer=pl.lit(None, pl.String))
    data.tables["traces"] = pl.concat([data.tables["traces"], more])
    assert "1 thought without an end" in said(data, "The curves have 24 thoughts")


def test_sheets_hold_every_context_test_and_area():
    contexts, compared, over, examples = SECTION.sheets(study())
    assert [row[0] for row in contexts.rows] == [
        *("none", "filler", "foreign", "before", "shuffled", "arrived"),
        *("last", "whole"),
    ]
    assert len(compared.rows) == 18
    assert {row[1] for row in over.rows} == {"thought", "ahead", "behind"}
    assert {row[0] for row in examples.rows} == {"filler", "shuffled", "foreign"}


def test_figures_show_the_tables_values():
    found = study(before=0.5).tables
    figure = draw_curves(
        found["faithfulness/curves"], found["faithfulness/contexts"], 0.95
    )
    panels = {
        panel.get_title(loc="left").split(" (")[0]: panel for panel in figure.axes
    }
    lines = [line.get_ydata() for line in panels["Before the first arrival"].lines]
    assert any(np.array_equal(line, [0] * 10 + [0.5]) for line in lines)
    after = [line.get_ydata() for line in panels["After the first arrival"].lines]
    assert any(np.array_equal(line, np.ones(11)) for line in after)
    dots = draw_contexts(found["faithfulness/contexts"], 0.95).axes[0]
    labels = [tick.get_text() for tick in dots.get_yticklabels()]
    assert labels[0] == "none  n = 24"
    assert labels[-1] == "whole (100%)  n = 24"
    kinds = draw_areas(found["faithfulness/areas"], 0.95).axes[0]
    assert "turns back  n = 12" in [t.get_text() for t in kinds.get_yticklabels()]


@pytest.mark.parametrize("make", [study, empty])
def test_figures_are_written(make, tmp_path):
    found = make().tables
    names = ("curves", "areas", "contexts")
    for name in names:
        EMPTY[f"faithfulness/{name}"].write(
            found[f"faithfulness/{name}"], tmp_path / name
        )
    main(
        **{f"{name}_path": tmp_path / name for name in names},
        **{f"{name}_figure": tmp_path / f"{name}.svg" for name in names},
        confidence=0.95,
    )
    assert all((tmp_path / f"{name}.svg").stat().st_size > 1000 for name in names)
