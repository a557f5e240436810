"""From traces and events to pairs, dropped events, balance, figure and sentences."""

import polars as pl
import pytest
from thought_edges import edges_of

from doubletake.page.study_data import StudyData
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from events.tables import EVENTS
from matches import measure as measure_matches
from matches import plot as plot_matches
from matches.covariates import IN_PROMPT, token_class, with_covariates
from matches.page import SECTION
from matches.pairing import Calipers
from matches.reading import cases_of, control_pairs
from matches.tables import BALANCE, DROPPED, MATCHES
from traces.tables import TRACES

CALIPERS = Calipers(1.5, 2, 1)
PROMPT = 3
BLOCK = "So it is 8. Fine. Wait, no.\nGood.\n"
TEXT = BLOCK * 3 + "It is over."


def trace_row(name: str, text: str = TEXT) -> dict:
    """A trace with one token per character."""
    return {
        "trace": f"{name}/0",
        "problem": name,
        "sample": 0,
        "prompt_ids": [0] * PROMPT,
        "completion_ids": [1] * len(text),
        "logprobs": None,
        "text": text,
        "offsets": list(range(len(text))),
        "thought_end": None,
        **edges_of(text),
        "finish": "stop",
        "answer": "8",
        "correct": True,
    }


def events_of(name: str, *found: tuple[str, str, int]) -> list[dict]:
    """Events at the n-th occurrence of a text: kind, text, n."""
    unset = dict.fromkeys(("value", "is_final", "cue", "cue_kind"))
    places = []
    for kind, text, number in found:
        start = -1
        for _ in range(number):
            start = TEXT.index(text, start + 1)
        places.append((start, kind, text))
    return [
        {"trace": f"{name}/0", "event": event, "kind": kind, "ordinal": 1}
        | {"start": start, "end": start + len(text), "token": PROMPT + start}
        | {"is_gold": event == 0 if kind == "arrival" else None}
        | unset
        for event, (start, kind, text) in enumerate(sorted(places))
    ]


EVENT_ROWS = [
    *events_of(
        "a",
        ("arrival", "8", 1),
        ("control", "Fine", 1),
        ("backtrack", "Wait", 1),
        ("arrival", "8", 2),
        ("backtrack", "Wait", 2),
        ("wrap_up", "It is", 1),
    ),
    *events_of(
        "b",
        ("backtrack", "So", 1),
        ("arrival", "8", 1),
        ("control", "Fine", 1),
        ("wrap_up", "Good", 1),
        ("backtrack", "Wait", 2),
    ),
]


@pytest.fixture(scope="module")
def covariates() -> pl.DataFrame:
    traces = TRACES.frame([trace_row("a"), trace_row("b")])
    return with_covariates(EVENTS.frame(EVENT_ROWS), traces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" apples", " a"),
        (" Tom", " a"),
        ("12", "0"),
        (".\n\n", ".\n\n"),
        (" x2", " a0"),
        ("é", "a"),
    ],
)
def test_tokens_of_one_class_have_the_same_punctuation(text, expected):
    assert token_class(text) == expected


def test_covariates_say_where_the_position_stands(covariates):
    row = covariates.filter(trace="a/0", event=4).row(0, named=True)
    second = TEXT.index("Wait", len(BLOCK))
    assert row["position"] == PROMPT + second - 1
    assert row["depth"] == second - 1
    assert row["arrivals_before"] == 2
    assert row["since_arrival"] == second - 1 - TEXT.index("8", len(BLOCK))
    assert (row["line_start"], row["token_class"]) == (False, " ")
    wrap_up = covariates.filter(trace="a/0", kind="wrap_up").row(0, named=True)
    assert (wrap_up["line_start"], wrap_up["token_class"]) == (True, "\n")
    arrival = covariates.filter(trace="a/0", event=3).row(0, named=True)
    assert (arrival["arrivals_before"], arrival["token_class"]) == (1, "0")
    assert arrival["since_arrival"] == len(BLOCK)
    assert covariates.filter(trace="b/0", event=0)["token_class"].item() == IN_PROMPT


def test_a_sentence_that_begins_with_an_arrival_does_not_count_it():
    rows = events_of("a", ("arrival", "8", 1), ("arrival", "8", 2), ("control", "8", 2))
    (control,) = (
        with_covariates(EVENTS.frame(rows), TRACES.frame([trace_row("a")]))
        .filter(kind="control")
        .to_dicts()
    )
    assert control["arrivals_before"] == 1
    assert control["since_arrival"] == len(BLOCK) - 1


def test_covariates_do_not_know_what_comes_after(covariates):
    traces = TRACES.frame([trace_row("a"), trace_row("b")])
    for row in covariates.iter_rows(named=True):
        before = EVENTS.frame(
            [
                event
                for event in EVENT_ROWS
                if event["trace"] == row["trace"] and event["event"] <= row["event"]
            ]
        )
        assert with_covariates(before, traces).row(-1, named=True) == row


def test_events_without_a_partner_are_counted_by_reason(covariates):
    contrast = CONTRAST_BY_NAME["backtrack_control"]
    table, dropped, _ = measure_matches.match(contrast, covariates, CALIPERS)
    assert table.is_empty()  # no control stands as far from its arrival
    assert dropped == {
        measure_matches.BEFORE_ARRIVAL: 1,
        measure_matches.AFTER_WRAP_UP: 1,
        measure_matches.OTHER_TOKEN: 0,
        measure_matches.OUTSIDE_CALIPERS: 2,
        measure_matches.TAKEN: 0,
    }
    wide = Calipers(1000, 1000, 9)
    table, dropped, _ = measure_matches.match(contrast, covariates, wide)
    assert (table.height, sum(dropped.values())) == (4, 2)
    one_control = covariates.filter(
        (pl.col("kind") != "control") | (pl.col("trace") == "a/0")
    )
    table, dropped, _ = measure_matches.match(contrast, one_control, wide)
    assert (table.height, dropped[measure_matches.TAKEN]) == (2, 1)
    other = one_control.with_columns(
        token_class=pl.when(pl.col("kind") == "control")
        .then(pl.lit("?"))
        .otherwise("token_class")
    )
    assert (
        measure_matches.match(contrast, other, wide)[1][measure_matches.OTHER_TOKEN]
        == 2
    )


def run(folder, events: list[dict], calipers: Calipers) -> dict[str, pl.DataFrame]:
    TRACES.write(TRACES.frame([trace_row("a"), trace_row("b")]), folder / "traces")
    EVENTS.write(EVENTS.frame(events), folder / "events")
    measure_matches.main(
        traces_path=folder / "traces",
        events_path=folder / "events",
        matches_path=folder / "matches",
        dropped_path=folder / "dropped",
        balance_path=folder / "balance",
        calipers=calipers,
    )
    return {
        "matches": MATCHES.read(folder / "matches"),
        "matches/dropped": DROPPED.read(folder / "dropped"),
        "matches/balance": BALANCE.read(folder / "balance"),
    }


def data_of(tables: dict[str, pl.DataFrame]) -> StudyData:
    settings = {"since_arrival": 1.5, "depth": 2, "arrivals": 1}
    return StudyData("tiny", "data", tables, {"matches": settings})


def test_tables_figure_and_sentences_of_a_study(tmp_path):
    tables = run(tmp_path, EVENT_ROWS, Calipers(1000, 1000, 9))
    pairs = tables["matches"].filter(contrast="backtrack_control")
    assert pairs["label"].to_list() == [True, False, True, False]
    assert pairs["pair"].to_list() == [0, 0, 1, 1]
    arrivals = tables["matches"].filter(contrast="right_arrival")
    assert arrivals["position"].to_list()[0] == PROMPT + TEXT.index("8")
    data = data_of(tables)
    assert SECTION.headline(data).startswith(
        "2 of 4 backtracks have a matched control, on 1 problem."
    )
    text = " ".join(SECTION.findings(data))
    assert "2 of 4 backtracks dropped (1: before the first arrival; 1: after" in text
    assert "The pairs still differ in tokens since the last arrival" in text
    (sheet,) = SECTION.sheets(data)
    assert len(sheet.rows) == tables["matches/balance"].height == 24
    assert "backtrack against control: 2 against 2 events" in SECTION.cases["balance"](
        data
    )
    for k in (1, 2):
        plot_matches.main(
            balance_path=tmp_path / "balance", figure_path=tmp_path / f"{k}.svg"
        )
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()
    figure = plot_matches.draw_balance(tables["matches/balance"])
    before, after = figure.axes[0].get_lines()[1:]
    rows = tables["matches/balance"].filter(contrast="backtrack_control")
    for line, name in ((before, "before"), (after, "after")):
        drawn = rows[f"difference_{name}"].drop_nulls().to_list()
        assert list(line.get_xdata()) == drawn


def test_a_study_without_pairs_is_not_checked(tmp_path):
    tables = run(tmp_path, EVENT_ROWS, CALIPERS)
    headline = SECTION.headline(data_of(tables))
    assert headline == "Not checked: none of 4 backtracks has a matched partner."
    empty = run(tmp_path, [], CALIPERS)
    data = data_of(empty)
    assert SECTION.headline(data) == "Not checked: there is no backtrack."
    assert "Backtrack against control: not checked" in SECTION.findings(data)[0]
    figure = plot_matches.draw_balance(empty["matches/balance"])
    assert "Nothing to draw" in figure.axes[0].texts[0].get_text()


def test_pairs_need_both_members():
    from tiny_matches import pair_rows

    pairs = [(("a/0", 1, 1), ("b/0", 2, 2)), (("a/0", 3, 3), ("a/0", 4, 4))]
    matches = MATCHES.frame(pair_rows("backtrack_control", pairs))
    positions = pl.DataFrame(
        {"trace": ["a/0", "a/0", "a/0"], "event": [1, 3, 4]},
        schema_overrides={"event": pl.Int32},
    )
    assert control_pairs(matches, positions).rows() == [
        ("a/0", 3, 1, True, "a"),
        ("a/0", 4, 1, False, "a"),
    ]
    contrast = CONTRAST_BY_NAME["backtrack_control"]
    cases = cases_of(contrast, matches, positions)
    assert cases["event"].to_list() == [3, 4]
    assert cases_of(CONTRAST_BY_NAME["wrap_up_control"], matches, positions).is_empty()


@pytest.mark.parametrize("controls_first", [False, True])
def test_a_pair_belongs_to_the_problem_of_the_side_with_fewer(controls_first):
    """Three backtracks of three problems, with controls of two problems."""
    from tiny_matches import pair_rows

    pairs = [
        ((f"{name}/0", 1, 1), (f"{other}/0", 2 + number, 2))
        for number, (name, other) in enumerate(["ax", "bx", "cy"])
    ]
    if controls_first:
        pairs = [(two, one) for one, two in pairs]
    matches = MATCHES.frame(pair_rows("backtrack_control", pairs))
    found = control_pairs(matches, matches).unique("pair").sort("pair")
    assert found["pair_problem"].to_list() == ["x", "x", "y"]
