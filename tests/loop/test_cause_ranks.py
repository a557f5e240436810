"""The planted cause among the first words: by hand, by brute force, by simulation."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from checkouts import ROOT
from tiny_loop import INTERVALS, ranked
from tiny_models import tokenizer_settings
from tiny_twins import DISTRACTOR, SLIP, trace_row

from attribution.tables import ATTRIBUTION_PROMPTS, ATTRIBUTION_TOKENS
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.words import words_of
from events.tables import EVENTS
from exact_attribution.tables import EXACT_WORDS
from loop.cause_ranks import Ranked, chance_of_hit, contexts_of, rankings_of
from loop.methods import EXACT, MAX_ABS, SAME_EVENTS
from loop.summary_rows import causes_table
from traces.tables import TRACES
from truth.read import truth_rows
from truth.tables import TRUTH


@pytest.mark.parametrize(
    ("flags", "classes"),
    [
        ((True, False, False, False, False), (0,) * 5),
        ((False, True, False, False, True), (0,) * 5),
        ((False, True, False, True, True), (0, 1, 1, 0, 0)),
    ],
)
def test_chance_is_that_of_all_orders(flags, classes):
    hits, orders = 0, 0
    for order in permutations(range(5)):
        if any(classes[a] != classes[b] for a, b in enumerate(order)):
            continue
        orders += 1
        hits += any(flags[k] for k in order[:2])
    assert chance_of_hit(flags, 2, classes) == pytest.approx(hits / orders)


def test_a_ranking_at_random_is_rarely_told_from_chance():
    rng, claims = np.random.default_rng(0), {"gain": 0, "beyond": 0}
    classes = tuple((k % 3 == 0, k % 2) for k in range(12))
    for _ in range(60):
        rows = []
        for k in range(30):
            order = rng.permutation(12)
            flags = tuple(bool(place < 2) for place in order)
            own = tuple(classes[place] for place in order)
            rows.append(Ranked(f"{k}", "slip", flags, own))
        (row,) = (
            causes_table({MAX_ABS: rows}, 3, INTERVALS).filter(cause="all").to_dicts()
        )
        claims["gain"] += row["p_holm"] <= 0.05
        claims["beyond"] += row["beyond_low"] > 0 or row["beyond_high"] < 0
    assert max(claims.values()) <= 9  # 3 expected


def test_a_ranking_that_knows_the_cause_is_found():
    (row,) = (
        causes_table({MAX_ABS: ranked(20, 16)}, 3, INTERVALS)
        .filter(cause="all")
        .to_dicts()
    )
    assert (row["hits"], row["n"], row["share"]) == (16, 20, 0.8)
    assert row["chance"] == pytest.approx(0.3)
    assert row["p_holm"] < 0.05
    assert row["beyond_low"] > 0


def test_like_words_explain_a_ranking_that_knows_the_class_only():
    """All numbers come first, and the cause is one of three numbers."""
    classes = tuple((k < 3, 0) for k in range(12))
    rows = [
        Ranked(f"{k}", "slip", tuple(j == k % 3 for j in range(12)), classes)
        for k in range(30)
    ]
    (row,) = causes_table({MAX_ABS: rows}, 3, INTERVALS).filter(cause="all").to_dicts()
    assert row["share"] == row["matched"] == 1.0
    assert row["chance"] == pytest.approx(0.25)
    assert row["p_holm"] < 0.001
    assert row["beyond"] == 0.0


def test_exact_patching_is_paired_with_the_estimate_at_the_same_events():
    rankings = {EXACT: ranked(20, 16), SAME_EVENTS: ranked(20, 6)}
    table = causes_table(rankings, 3, INTERVALS).filter(cause="all")
    exact, other = table.to_dicts()
    assert exact["over_estimate"] == pytest.approx(0.5)
    assert exact["over_estimate_low"] > 0.2
    assert other["over_estimate"] is None


def test_too_few_problems_give_no_interval_and_no_test():
    table = causes_table({MAX_ABS: ranked(9, 9)}, 3, INTERVALS)
    assert table["low"].null_count() == table["p_holm"].null_count() == table.height
    assert causes_table({MAX_ABS: []}, 3, INTERVALS).is_empty()


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(tokenizer_settings(ROOT / "resources/pocket"))


THOUGHTS = {
    SLIP: "18 + 8 = 27.\n27 - 4 = 23. Wait, 18 + 8 = 27 is not right.",
    DISTRACTOR: "18 + 8 = 26. 26 - 4 = 22.\n\nWait, what about the 7 years?",
}


def tables_of(tokenizer, question, favoured):
    """The tables of a hand-made thought; the words of `favoured` have high scores."""
    name = "00000/0"
    trace = trace_row(tokenizer, name, question, THOUGHTS[question])
    padded = f"  {question} "  # the prompt holds it without the spaces around it
    truth = truth_rows(trace, padded)
    turn = next(row for row in truth if row["choice"] == "turn")
    position = turn["token"] - 1
    prompt = "".join(tokenizer.text_of(k) for k in trace["prompt_ids"])
    offsets = np.cumsum(
        [0, *(len(tokenizer.text_of(k)) for k in trace["prompt_ids"])]
    ).tolist()[:-1]
    start = prompt.index(question)
    scores = np.full(position, 0.1)
    length = len(trace["prompt_ids"])
    for text, places, at in (
        (prompt, offsets, 0),
        (trace["text"], trace["offsets"], length),
    ):
        for word in words_of(text, places, (0, len(text)), at):
            if word.name in favoured and word.last_token < position:
                scores[word.first_token : word.last_token + 1] = 1.0
    event = dict.fromkeys(EVENTS.schema) | {"trace": name, "event": 3}
    event |= {"kind": "backtrack", "ordinal": 1, "start": turn["start"]}
    event |= {"end": turn["end"], "token": turn["token"]}
    token_row = {"trace": name, "event": 3, "problem": trace["problem"]}
    token_row |= {"kind": "backtrack", "position": position, "metric_value": 0.0}
    token_row |= {"question_start": None, "question_end": None, "thought_start": 1}
    token_row |= {"max_abs": scores, "mean_abs": scores, "signed_max": scores}
    token_row |= {"position_max_abs": 0.0, "position_mean_abs": 0.0}
    end = start + len(question)
    row = {
        "trace": name,
        "text": prompt,
        "offsets": offsets,
        "start": start,
        "end": end,
    }
    return {
        "tokens": ATTRIBUTION_TOKENS.frame([token_row]),
        "prompts": ATTRIBUTION_PROMPTS.frame([row]),
        "traces": TRACES.frame([trace]),
        "problems": pl.DataFrame({"problem": [trace["problem"]], "question": [padded]}),
        "events": EVENTS.frame([event]),
        "truth": TRUTH.frame(truth),
    }


@pytest.mark.parametrize(
    ("question", "place", "number"), [(SLIP, "text", "27"), (DISTRACTOR, None, "7")]
)
def test_the_words_of_a_cause_are_found_where_they_stand(
    tokenizer, question, place, number
):
    """A slip stands in the thought, a distractor in the question."""
    for favoured in (number, "apples"):
        tables = tables_of(tokenizer, question, {favoured})
        (context,) = contexts_of(tables, frozenset())
        (turn,) = tables["truth"].filter(choice="turn").to_dicts()
        assert turn["cause_in"] == ("thought" if place else "question")
        source, column = ("traces", "text") if place else ("problems", "question")
        text = tables[source][column][0]
        cause = text[turn["cause_start"] : turn["cause_end"]]
        words = words_of(cause, range(len(cause)), (0, len(cause)))
        assert context.cause_names == {word.name for word in words}
        assert number in context.cause_names
        found = rankings_of([context], EXACT_WORDS.frame([]))
        (ranked_words,) = found[MAX_ABS]
        assert ranked_words.hit(1) == (favoured == number)
        assert found[EXACT] == found[SAME_EVENTS] == []


def test_exact_values_rank_the_words_that_they_measured(tokenizer):
    tables = tables_of(tokenizer, SLIP, {"apples"})
    (context,) = contexts_of(tables, frozenset())
    rows = [
        dict.fromkeys(EXACT_WORDS.schema)
        | {"trace": context.row["trace"], "problem": "0", "event": 3, "position": 9}
        | {"word": word, "token": 1, "source": "top", "is_cause": False}
        | {"is_ranked": True}
        | {"estimate": 0.0, "estimate_rank": 1, "exact": exact, "exact_rank": 1}
        | {"layer": 0, "same_cell": 0.0, "published": 0.0, "published_rank": 1}
        for word, exact in (("27", -0.5), ("apples", 0.2), ("has", 0.1))
    ]
    found = rankings_of([context], EXACT_WORDS.frame(rows))
    (exact,) = found[EXACT]
    assert exact.flags == (True, False, False)
    # The estimate is ranked over the same words, and puts another one first.
    (same,) = found[SAME_EVENTS]
    assert len(same.flags) == 3 < len(found[MAX_ABS][0].flags)
    assert not same.hit(1)


def test_a_cause_of_stop_words_alone_is_a_miss_of_the_estimate(tokenizer):
    tables = tables_of(tokenizer, SLIP, {"27"})
    (context,) = contexts_of(tables, frozenset())
    (context,) = contexts_of(tables, context.cause_names)
    (estimate,) = rankings_of([context], EXACT_WORDS.frame([]))[MAX_ABS]
    assert not estimate.is_named
    assert not estimate.hit(3)
    assert estimate.chance(3) == estimate.matched(3) == 0
    (row,) = (
        causes_table({MAX_ABS: [estimate]}, 3, INTERVALS).filter(cause="all").to_dicts()
    )
    assert (row["hits"], row["unnamed"], row["n"]) == (0, 1, 1)
    # Exact patching measures the words of a cause, stop words or not.
    exact = context.ranked({"27": 2.0, "apples": 1.0})
    assert exact.flags == (True, False)
    no_truth = tables | {"truth": TRUTH.frame([])}
    assert contexts_of(no_truth, frozenset()) == []
