"""The summary of attribution against values computed by hand."""

import json
import math

import numpy as np
import polars as pl
import pytest
from thought_edges import edges_of

from attribution.context_tables import (
    Published,
    context_parts_table,
    overlap_table,
    words_table,
)
from attribution.decision_contexts import decision_contexts
from attribution.score_tables import checks_table, layers_table
from attribution.slip_tables import slip_ranks_table, slips_table
from attribution.summarise import Settings, main
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_SLIPS,
    ATTRIBUTION_TOKENS,
)
from doubletake.running.digests import SCRIPTS
from doubletake.stats.intervals import IntervalSettings
from doubletake.study import registry
from matches.tables import MATCHES
from traces.tables import TRACES

INTERVALS = IntervalSettings(confidence=0.9, least_problems=3)
SETTINGS = Settings(top_words=2, next_words=6, intervals=INTERVALS)
NO_PAIRS = MATCHES.frame([])
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
        "metric_value": 1.5,
        "question_start": 1,
        "question_end": 6,
        "thought_start": len(PROMPT),
        "max_abs": max_abs,
        "mean_abs": [score / 2 for score in max_abs],
        "signed_max": [-score for score in max_abs],
        "position_max_abs": 3.0,
        "position_mean_abs": 2.0,
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
    given = tables(**(SCORES | changes))
    return list(decision_contexts(*given, STOP, SETTINGS.next_words))


def test_words_are_ranked_with_context_part_and_what_follows():
    rows = words_table(contexts()).to_dicts()
    found = [(r["rank"], r["word"], r["context_part"], r["occurrences"]) for r in rows]
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
    assert rows[0]["signed_max"] == pytest.approx(-0.8)
    assert rows[0]["token"] == len(PROMPT) + 4


def test_overlap_against_words_of_like_frequency():
    table = overlap_table(contexts(), NO_PAIRS, Published(), 2, INTERVALS)
    values = dict(table.select("words", "mean").iter_rows())
    # The top two, 19 and pens, occur once each and do not follow. Of the remaining
    # words that occur once, has follows and done does not.
    assert values == pytest.approx(
        {"important": 0.0, "matched": 0.5, "difference": -0.5}
    )


def test_importance_by_context_part():
    table = context_parts_table(contexts(), NO_PAIRS, Published(), INTERVALS)
    values = {
        (quantity, part): mean
        for quantity, part, mean in table.select(
            "quantity", "context_part", "mean"
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
    shares = [values["share", part] for part in range(6)]
    assert sum(shares) == pytest.approx(1)


def test_published_values_are_added_to_their_own_study_only():
    reference = json.loads(REFERENCE.read_text())
    ours = Published.of(reference, reference["model"], reference["dataset"])
    assert len([value for value in ours.context_parts if value is not None]) == 6
    table = context_parts_table(contexts(), NO_PAIRS, ours, INTERVALS)
    known = table.drop_nulls("published")
    assert set(known["quantity"]) == {"peak"}
    assert known.sort("context_part")["published"].to_list() == list(ours.context_parts)
    overlap = overlap_table(contexts(), NO_PAIRS, ours, 2, INTERVALS)
    overlap = overlap.drop_nulls("published")
    assert overlap["words"].to_list() == ["important"]
    other = Published.of(reference, "resources/pocket", reference["dataset"])
    elsewhere = context_parts_table(contexts(), NO_PAIRS, other, INTERVALS)
    assert elsewhere["published"].count() == 0
    control = context_parts_table(contexts(kind="control"), NO_PAIRS, ours, INTERVALS)
    assert control["published"].count() == 0


def test_the_wrong_number_of_a_slip_is_ranked():
    (row,) = slips_table(contexts()).to_dicts()
    assert row["equation"] == "9 + 9 = 19"
    assert (row["wrong"], row["right"], row["rank"], row["words"]) == ("19", "18", 1, 6)
    assert slips_table(contexts(kind="control")).is_empty()
    (lower,) = slips_table(contexts(**{"19": 0.4})).to_dicts()
    assert lower["rank"] == 3


def test_ranks_of_slips_with_chance():
    row = {"trace": "a/0", "event": 1, "equation": "", "wrong": "1", "right": "2"}
    ranks = (("a", 1, 4), ("b", 3, 20), ("c", 11, 20))
    rows = [row | {"problem": p, "rank": rank, "words": n} for p, rank, n in ranks]
    table = slip_ranks_table(ATTRIBUTION_SLIPS.frame(rows), INTERVALS)
    assert table.select("top_k", "hits", "positions").rows() == [
        (1, 1, 3),
        (3, 2, 3),
        (10, 2, 3),
    ]
    assert table["chance"].to_list() == pytest.approx(
        [(1 / 4 + 2 / 20) / 3, (3 / 4 + 6 / 20) / 3, (1 + 20 / 20) / 3]
    )
    assert (table["low"] < table["share"]).all()
    few = slip_ranks_table(ATTRIBUTION_SLIPS.frame(rows), IntervalSettings())
    assert few["low"].null_count() == few["high"].null_count() == 3
    nothing = slip_ranks_table(ATTRIBUTION_SLIPS.frame([]), INTERVALS)
    assert nothing["share"].null_count() == nothing["chance"].null_count() == 3


def score_rows(event: int, layer: int, scores: list[float]) -> dict:
    return {
        "trace": f"{event}/0",
        "event": event,
        "problem": f"{event}",
        "kind": "backtrack",
        "position": len(scores),
        "metric_value": 0.0,
        "component": "resid",
        "layer": layer,
        "position_score": -2.0 * (layer + 1),
        "scores": scores,
    }


def test_layers_are_means_of_sizes_over_decisions():
    rows = [score_rows(1, 0, [1.0, -3.0]), score_rows(2, 0, [4.0])]
    table = layers_table(ATTRIBUTION.frame(rows), NO_PAIRS, INTERVALS)
    values = dict(table.select("quantity", "mean").iter_rows())
    assert values == {"earlier": pytest.approx(3.0), "position": pytest.approx(2.0)}


def cells_of(event: int, layer: int, exact: list[float], gradient: list[float]):
    return [
        {
            "trace": f"{event}/0",
            "event": event,
            "problem": f"{event}",
            "component": "resid",
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
    table = checks_table(ATTRIBUTION_CELLS.frame(cells), INTERVALS)
    wanted = float(np.corrcoef(exact, exact[::-1])[0, 1])

    def mean(method, layer, statistic):
        of_layer = pl.col("layer").eq_missing(pl.lit(layer))
        rows = table.filter(of_layer, method=method, statistic=statistic)
        return rows["mean"].item()

    assert mean("gradient", 0, "pearson") == pytest.approx((1 + wanted) / 2)
    assert mean("gradient", 1, "pearson") == pytest.approx(1)
    assert mean("gradient", None, "pearson") == pytest.approx((2 + wanted) / 3)
    assert mean("integrated", 1, "sign") == 0
    assert mean("gradient", 1, "recall") is None


def test_a_decision_whose_scores_are_all_zero_has_no_importance():
    names = {piece.strip(): 0.0 for piece in [*PROMPT, *THOUGHT]}
    (context,) = list(decision_contexts(*tables(**names), STOP, 3))
    table = context_parts_table([context], NO_PAIRS, Published(), INTERVALS)
    assert table["mean"].null_count() == table.height
    assert math.isfinite(table["positions"].sum())


OUTPUTS = (
    "checks",
    "layers",
    "words",
    "context_parts",
    "overlap",
    "slips",
    "slip_ranks",
)


@pytest.mark.parametrize("empty", [False, True])
def test_the_tables_are_written(tmp_path, empty):
    tokens, traces, prompts = tables(**SCORES)
    given = {
        "traces": (TRACES, traces),
        "matches": (MATCHES, NO_PAIRS),
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
