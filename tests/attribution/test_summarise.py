"""The summary of attribution against figures worked out by hand."""

import json
import math

import numpy as np
import polars as pl
import pytest
from thought_edges import edges_of

from attribution.summarise import (
    Published,
    Settings,
    checks_table,
    contexts_of,
    layers_table,
    main,
    overlap_table,
    places_table,
    slip_ranks,
    slip_rows,
    word_rows,
)
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_SLIPS,
    ATTRIBUTION_TOKENS,
)
from doubletake.running.digests import SCRIPTS
from doubletake.stats.intervals import Resampling
from doubletake.study import registry
from traces.tables import TRACES

SETTINGS = Settings(
    top_words=2, next_words=6, intervals=Resampling(bootstrap=50, confidence=0.9)
)
STOP = frozenset(["the", "is", "of"])
QUESTION = ["Tom", " has", " 9", " pens", "."]
PROMPT = ["<s>", *QUESTION, "<think>"]
THOUGHT = ["9", " +", " 9", " =", " 19", ".", " Tom", " is", " done", ".", " So"]
AFTER = [" wait", ",", " Tom", " has", " 9", " and", " 19", " pens"]
POSITION = len(PROMPT) + 9
"""The full stop before " So"."""
REFERENCE = SCRIPTS.parents[1] / "resources/reference/attribution_published.json"


def starts(pieces: list[str]) -> list[int]:
    return [0, *np.cumsum([len(piece) for piece in pieces])[:-1].tolist()]


def tables(kind: str = "backtrack", **scores: float):
    """One decision; `scores` by word of the context, other tokens have 0.01."""
    pieces = [*PROMPT, *THOUGHT][:POSITION]
    max_abs = [scores.get(piece.strip(), 0.01) for piece in pieces]
    completion = THOUGHT + AFTER
    trace = {
        "trace": "a/0",
        "problem": "a",
        "sample": 0,
        "prompt_ids": [1] * len(PROMPT),
        "completion_ids": [1] * len(completion),
        "logprobs": None,
        "text": "".join(completion),
        "offsets": starts(completion),
        "thought_end": None,
        **edges_of("".join(completion)),
        "finish": "length",
        "answer": None,
        "correct": False,
    }
    token = {
        "trace": "a/0",
        "event": 3,
        "problem": "a",
        "kind": kind,
        "position": POSITION,
        "value": 1.5,
        "question_start": 1,
        "question_end": 6,
        "thought_start": len(PROMPT),
        "max_abs": max_abs,
        "mean_abs": [score / 2 for score in max_abs],
        "strongest": [-score for score in max_abs],
        "own_max_abs": 3.0,
        "own_mean_abs": 2.0,
    }
    text = "".join(PROMPT)
    start = len("<s>")
    prompt = {
        "trace": "a/0",
        "text": text,
        "offsets": starts(PROMPT),
        "start": start,
        "end": start + len("".join(QUESTION)),
    }
    return (
        ATTRIBUTION_TOKENS.frame([token]),
        TRACES.frame([trace]),
        ATTRIBUTION_PROMPTS.frame([prompt]),
    )


SCORES = {"19": 0.8, "pens": 0.6, "Tom": 0.5, "is": 5.0, "done": 0.3, "<s>": 9.0}


def contexts(**changes):
    return list(contexts_of(*tables(**(SCORES | changes)), STOP, SETTINGS.next_words))


def test_words_are_ranked_with_place_and_what_follows():
    (context,) = contexts()
    rows = list(word_rows(context))
    found = [(r["rank"], r["word"], r["place"], r["occurrences"]) for r in rows]
    # Of "Tom", in question and thought, the earlier occurrence counts.
    assert found[:4] == [(1, "19", 3, 1), (2, "pens", 0, 1), (3, "tom", 0, 2),
                         (4, "done", 5, 1)]  # fmt: skip
    assert {r["word"] for r in rows[4:]} == {"has", "9"}
    # The next six words: So, wait, Tom, has, 9, and.
    assert {r["word"]: r["follows"] for r in rows} == {
        "19": False,
        "pens": False,
        "tom": True,
        "done": False,
        "has": True,
        "9": True,
    }
    assert rows[0]["max_abs"] == pytest.approx(0.8)
    assert rows[0]["strongest"] == pytest.approx(-0.8)
    assert rows[0]["token"] == len(PROMPT) + 4


def test_overlap_against_words_of_like_frequency():
    table = overlap_table(contexts(), Published(), SETTINGS)
    values = dict(table.select("words", "value").iter_rows())
    # Of the top two, 19 and pens (once each), none follows; of the others that occur
    # once, has follows and done does not.
    assert values == pytest.approx(
        {"important": 0.0, "matched": 0.5, "difference": -0.5}
    )


def test_importance_by_place():
    table = places_table(contexts(), Published(), SETTINGS)
    values = {
        (quantity, place): value
        for quantity, place, value in table.select(
            "quantity", "place", "value"
        ).iter_rows()
    }
    question = [0.5, 0.01, 0.01, 0.6, 0.01]
    thought = [0.01] * 4 + [0.8, 0.01, 0.5, 5.0, 0.3]
    whole = question + thought
    assert values["peak", 0] == pytest.approx(0.6 / 5)
    assert values["share", 0] == pytest.approx(sum(question) / sum(whole))
    mean = sum(whole) / len(whole)
    assert values["token", 0] == pytest.approx(sum(question) / 5 / mean)
    # Nine tokens in five parts: 2, 2, 2, 2, 1.
    assert values["token", 1] == pytest.approx(0.01 / mean)
    assert values["peak", 4] == pytest.approx(1.0)
    assert values["peak", 5] == pytest.approx(0.3 / 5)
    shares = [values["share", place] for place in range(6)]
    assert sum(shares) == pytest.approx(1)


def test_published_values_stand_with_their_study_only():
    reference = json.loads(REFERENCE.read_text())
    ours = Published.of(reference, reference["model"], reference["dataset"])
    assert len([place for place in ours.places if place is not None]) == 6
    table = places_table(contexts(), ours, SETTINGS)
    known = table.drop_nulls("published")
    assert set(known["quantity"]) == {"peak"}
    assert known.sort("place")["published"].to_list() == list(ours.places)
    overlap = overlap_table(contexts(), ours, SETTINGS).drop_nulls("published")
    assert overlap["words"].to_list() == ["important"]
    other = Published.of(reference, "resources/pocket", reference["dataset"])
    assert places_table(contexts(), other, SETTINGS)["published"].count() == 0
    control = places_table(contexts(kind="control"), ours, SETTINGS)
    assert control["published"].count() == 0


def test_the_wrong_number_of_a_slip_is_ranked():
    (row,) = slip_rows(contexts())
    assert row["equation"] == "9 + 9 = 19"
    assert (row["wrong"], row["right"], row["rank"], row["words"]) == ("19", "18", 1, 6)
    assert list(slip_rows(contexts(kind="control"))) == []
    (lower,) = slip_rows(contexts(**{"19": 0.4}))
    assert lower["rank"] == 3


def test_ranks_of_slips_with_chance():
    row = {"trace": "a/0", "event": 1, "equation": "", "wrong": "1", "right": "2"}
    rows = [row | {"rank": rank, "words": n} for rank, n in ((1, 4), (3, 20), (11, 20))]
    table = slip_ranks(ATTRIBUTION_SLIPS.frame(rows), 0.95)
    assert table.select("top", "hits", "events").rows() == [
        (1, 1, 3),
        (3, 2, 3),
        (10, 2, 3),
    ]
    assert table["chance"].to_list() == pytest.approx(
        [(1 / 4 + 2 / 20) / 3, (3 / 4 + 6 / 20) / 3, (1 + 20 / 20) / 3]
    )
    assert (table["low"] < table["share"]).all()
    nothing = slip_ranks(ATTRIBUTION_SLIPS.frame([]), 0.95)
    assert nothing["share"].null_count() == nothing["chance"].null_count() == 3


def score_rows(event: int, layer: int, scores: list[float]) -> dict:
    return {
        "trace": f"{event}/0",
        "event": event,
        "problem": f"{event}",
        "kind": "backtrack",
        "position": len(scores),
        "value": 0.0,
        "part": "resid",
        "layer": layer,
        "own": -2.0 * (layer + 1),
        "scores": scores,
    }


def test_layers_are_means_of_sizes_over_decisions():
    rows = [score_rows(1, 0, [1.0, -3.0]), score_rows(2, 0, [4.0])]
    table = layers_table(ATTRIBUTION.frame(rows), SETTINGS)
    values = dict(table.select("quantity", "value").iter_rows())
    assert values == {"earlier": pytest.approx(3.0), "own": pytest.approx(2.0)}


def cells_of(event: int, layer: int, exact: list[float], gradient: list[float]):
    return [
        {
            "trace": f"{event}/0",
            "event": event,
            "problem": f"{event}",
            "part": "resid",
            "layer": layer,
            "token": token,
            "gradient": found,
            "integrated": -found,
            "exact": wanted,
        }
        for token, (wanted, found) in enumerate(zip(exact, gradient, strict=True))
    ]


def test_checks_by_layer_and_over_all_layers():
    exact = [1.0, -2.0, 3.0, -4.0]
    cells = cells_of(1, 0, exact, exact) + cells_of(2, 0, exact, exact[::-1])
    cells += cells_of(1, 1, exact, exact)
    table = checks_table(ATTRIBUTION_CELLS.frame(cells), SETTINGS)
    wanted = float(np.corrcoef(exact, exact[::-1])[0, 1])

    def value(method, layer, statistic):
        place = pl.col("layer").is_null() if layer is None else pl.col("layer") == layer
        rows = table.filter(place, method=method, statistic=statistic)
        return rows["value"].item()

    assert value("gradient", 0, "pearson") == pytest.approx((1 + wanted) / 2)
    assert value("gradient", 1, "pearson") == pytest.approx(1)
    assert value("gradient", None, "pearson") == pytest.approx((2 + wanted) / 3)
    assert value("integrated", 1, "sign") == 0
    assert value("gradient", 1, "recall") is None


def test_a_decision_whose_scores_are_all_zero_has_no_places():
    names = {piece.strip(): 0.0 for piece in [*PROMPT, *THOUGHT]}
    (context,) = list(contexts_of(*tables(**names), STOP, 3))
    table = places_table([context], Published(), SETTINGS)
    assert table["value"].null_count() == table.height
    assert math.isfinite(table["events"].sum())


OUTPUTS = ("checks", "layers", "words", "places", "overlap", "slips", "slip_ranks")


@pytest.mark.parametrize("empty", [False, True])
def test_the_tables_are_written(tmp_path, empty):
    tokens, traces, prompts = tables(**SCORES)
    given = {
        "traces": (TRACES, traces),
        "scores": (ATTRIBUTION, ATTRIBUTION.frame([score_rows(3, 0, [1.0])])),
        "tokens": (ATTRIBUTION_TOKENS, tokens),
        "prompts": (ATTRIBUTION_PROMPTS, prompts),
        "cells": (ATTRIBUTION_CELLS, ATTRIBUTION_CELLS.frame(cells_of(3, 0, [1], [2]))),
    }
    for name, (table, frame) in given.items():
        table.write(frame.head(0) if empty else frame, tmp_path / name)
    main(
        **{f"{name}_path": tmp_path / name for name in given},
        stop_words_path=SCRIPTS.parents[1] / "resources/stop_words/english.txt",
        published_path=REFERENCE,
        **{f"{name}_path": tmp_path / f"{name}.out" for name in OUTPUTS},
        study=("m", "d"),
        settings=SETTINGS,
    )
    for name in OUTPUTS:
        rows = registry.tables()[f"attribution/{name}"].read(tmp_path / f"{name}.out")
        assert rows.is_empty() == (empty and name != "slip_ranks")
