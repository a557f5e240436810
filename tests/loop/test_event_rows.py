"""What the tables of the stages say of an event, joined by hand."""

import math

import polars as pl
import pytest

from attention.tables import ATTENTION, ATTENTION_HEADS
from attribution.tables import ATTRIBUTION_TOKENS, ATTRIBUTION_WORDS
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from exact_attribution.tables import EXACT_WORDS
from logit_lens.tables import LOGIT_LENS
from loop.answers import answers_around
from loop.event_rows import (
    arrival_attention,
    exact_words,
    heads_write,
    lens_at,
    loop_table,
    planted,
    probe_scores,
    top_words,
)
from loop.summarise import TABLES
from loop.tables import LOOP, LOOP_EFFECTS
from probing.tables import PROBING, PROBING_SCORES
from traces.tables import TRACES
from truth.tables import TRUTH
from turns.tables import TURNS
from twins.tables import TWINS

KEY = {"trace": "0/0", "problem": "0", "event": 2}
ROWS = TURNS.frame(
    [
        KEY
        | {"kind": "backtrack", "ordinal": 1, "position": 20, "next_id": 1}
        | {"logprob": -1.0, "predicted_id": 1, "predicted_text": "Wait"}
        | {"is_word": True, "selected": True}
    ]
)


def row(table, **columns):
    """A row of a table; a number is 0 and the rest null or empty unless given."""
    empty = {}
    for column in table.columns:
        filled = {pl.String: "", pl.Boolean: False}.get(column.dtype, 0)
        empty[column.name] = None if column.nullable else filled
    wanted = {**KEY, **columns}
    return empty | {name: wanted[name] for name in table.schema if name in wanted}


def lists(table, names, values):
    return {name: values for name in names if name in table.schema}


def test_the_answer_before_is_that_of_the_last_arrival():
    events = EVENTS.frame(
        [
            row(EVENTS, event=k, kind=kind, ordinal=n, start=10 * k, end=10 * k + 9)
            for k, (kind, n) in enumerate(
                [("arrival", 1), ("arrival", 2), ("backtrack", 1), ("arrival", 3)]
            )
        ]
    )
    exits = EARLY_EXIT.frame(
        [
            row(
                EARLY_EXIT,
                exit=k,
                answer=answer,
                correct=k == 3,
                whole_logprob=-float(k),
            )
            for k, answer in enumerate(["1", "2", "5", "7"])
        ]
    )
    own = {"prompt_ids": [1], "completion_ids": [1], "offsets": [0], "finish": "stop"}
    trace = row(TRACES, answer="9", correct=False, thought_stop=40, **own)
    traces = pl.DataFrame([trace], schema=TRACES.schema)
    (found,) = answers_around(ROWS, events, exits, traces).to_dicts()
    assert (found["answer_before"], found["answer_after"]) == ("5", "7")
    assert (found["confidence"], found["confidence_after"]) == (-2.0, -3.0)
    assert (found["shifted"], found["mended"], found["spoiled"]) == (True, True, False)
    # Without a next arrival, the thought's own answer counts.
    # So does it where the next one stands after the thought, and has no exit.
    last, few = events.filter(pl.col("event") < 3), exits.filter(pl.col("exit") < 3)
    cut = traces.with_columns(thought_stop=pl.lit(29, TRACES.schema["thought_stop"]))
    for known, measured, ended in ((last, exits, traces), (events, few, cut)):
        (found,) = answers_around(ROWS, known, measured, ended).to_dicts()
        assert (found["answer_after"], found["correct_after"]) == ("9", False)
        assert (found["shifted"], found["mended"]) == (True, False)
    # Without an arrival before, or without its exit, nothing is known.
    none = events.filter(pl.col("kind") == "backtrack")
    for known, measured in ((none, exits), (events, exits.filter(exit=0))):
        (found,) = answers_around(ROWS, known, measured, traces).to_dicts()
        assert found["answer_before"] is found["shifted"] is found["mended"] is None


def test_the_lens_reads_log_odds_at_its_boundary():
    chances = (0.1, 0.5, 0.9)
    lens = LOGIT_LENS.frame(
        [
            row(LOGIT_LENS, kind="backtrack", component="resid", layer=layer)
            | {"backtrack_logprob": math.log(chance)}
            for layer, chance in enumerate(chances)
        ]
    )
    for depth, chance in ((0.0, 0.1), (0.5, 0.5), (0.9, 0.9)):
        (value,) = lens_at(lens, depth)["lens"].to_list()
        assert value == pytest.approx(math.log(chance / (1 - chance)))
    sure = lens.with_columns(backtrack_logprob=pl.lit(0.0))
    assert math.isfinite(lens_at(sure, 0.5)["lens"][0])


def test_attention_and_the_leading_heads_are_read_by_layer_and_head():
    values = {0: [0.1, 0.3], 1: [0.5, 0.1]}
    bins = [c.name for c in ATTENTION.columns if c.dtype == pl.List(pl.Float32)]
    rows = [
        row(ATTENTION, kind="backtrack", position=20, layer=layer)
        | {"tokens": [1]}
        | lists(ATTENTION, bins, own)
        for layer, own in values.items()
    ]
    attention = ATTENTION.frame(rows)
    assert arrival_attention(attention)["arrival_attention"].to_list() == [
        pytest.approx(0.25)
    ]
    places = [(1, 0), (0, 1), (0, 0)]
    heads = ATTENTION_HEADS.frame(
        [
            row(ATTENTION_HEADS, measure="dla_backtrack", kind="backtrack", rank=k)
            | {"layer": layer, "head": head}
            for k, (layer, head) in enumerate(places, 1)
        ]
    )
    (value,) = heads_write(attention, heads, 2)["heads_write"].to_list()
    assert value == pytest.approx(0.5 + 0.3)


def test_the_probe_is_that_of_the_most_selective_boundary():
    probing = PROBING.frame(
        [
            row(PROBING, contrast="backtrack_control", boundary=k, selectivity=value)
            for k, value in enumerate([0.1, 0.3, 0.2])
        ]
    )
    scores = PROBING_SCORES.frame(
        [
            row(PROBING_SCORES, contrast="backtrack_control", features="resid")
            | {"boundary": boundary, "shuffle": shuffle, "label": True}
            | {"score": 10.0 * boundary + shuffle}
            for boundary in range(3)
            for shuffle in (0, 1)
        ]
    )
    assert probe_scores(scores, probing)["probe"].to_list() == [10.0]
    assert probe_scores(scores, PROBING.frame([])).is_empty()


def test_words_and_shares_of_the_scores():
    score = [0.5, 0.5, 2.0, 1.0]
    tokens = ATTRIBUTION_TOKENS.frame(
        [
            row(ATTRIBUTION_TOKENS, kind="backtrack", position=4)
            | {"question_start": 0, "question_end": 2, "max_abs": score}
            | {"mean_abs": score, "signed_max": score}
        ]
    )
    words = ATTRIBUTION_WORDS.frame(
        [
            row(ATTRIBUTION_WORDS, kind="backtrack", rank=rank, word=word)
            | {"context_part": rank - 1, "max_abs": value, "token": 1}
            for rank, (word, value) in enumerate((("7", 2.0), ("has", 1.0)), 1)
        ]
    )
    (found,) = top_words(tokens, words).to_dicts()
    assert (found["top_word"], found["top_score"]) == ("7", 2.0)
    assert found["top_in"] == "question"
    assert found["concentration"] == pytest.approx(0.75)
    assert found["question_share"] == pytest.approx(0.25)


def test_the_first_exact_word_and_whether_the_estimate_agrees():
    rows = [
        row(EXACT_WORDS, word=word, source="top", estimate_rank=estimate)
        | {"exact": exact, "exact_rank": rank, "position": 20, "token": 1}
        for word, estimate, exact, rank in (("7", 2, -0.4, 1), ("has", 1, 0.1, 2))
    ]
    (found,) = exact_words(EXACT_WORDS.frame(rows)).to_dicts()
    assert (found["exact_word"], found["exact_support"]) == ("7", 0.4)
    assert not found["exact_agrees"]


def test_the_planted_cause_is_that_of_the_sentence():
    events = EVENTS.frame([row(EVENTS, kind="backtrack", start=33)])
    boundary = {"start": 33, "boundary": 4, "choice": "turn", "word": "Wait"}
    truth = TRUTH.frame(
        [
            row(TRUTH, cause="slip", probability=0.7, **boundary),
            row(TRUTH, cause="none", probability=0.1, **boundary | {"start": 3}),
        ]
    )
    twin = row(TWINS, boundary=4, cause="slip") | {
        "turn_with": 0.8,
        "turn_without": 0.3,
    }
    (found,) = planted(ROWS, events, truth, TWINS.frame([twin])).to_dicts()
    assert (found["cause"], found["has_cause"], found["planted"]) == ("slip", True, 0.7)
    assert found["twin_effect"] == pytest.approx(0.5)
    refused = TWINS.frame([twin | {"refused": "no"}])
    assert planted(ROWS, events, truth, refused)["twin_effect"][0] is None


def test_methods_that_have_not_looked_leave_nulls():
    empty = {name: table.frame([]) for name, table in TABLES.items()}
    own = {"part": "fit", "log_odds": 1.0, "mass": 0.7}
    effects = LOOP_EFFECTS.frame([row(LOOP_EFFECTS, position=20, **own)])
    found = loop_table(ROWS, empty | {"effects": effects}, 0.5, 4)
    known = {name for name in found.columns if found[name].null_count() == 0}
    assert known == {*KEY, "position", *own}
    assert loop_table(ROWS.clear(), empty, 0.5, 4).equals(LOOP.frame([]))
