"""The whole measurement on the pocket model; and without directions or contexts."""

from dataclasses import replace
from functools import partial

import polars as pl
import pytest
import torch
from checkouts import ROOT
from tiny_directions import NAMES, write_tiny_directions
from tiny_models import tokenizer_settings
from tiny_twins import CASES, problem_of, trace_of

from directions.reading import problems_to_test
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_rows import Completion
from events.tables import EVENTS
from injection.free_runs import first_different
from injection.measure import main
from injection.settings import Settings
from injection.tables import (
    ALWAYS,
    ARRIVAL,
    INJECTION,
    INJECTION_ATTENTION,
    INJECTION_FREE_RUNS,
    ONCE,
    PROMPT_END,
    RANDOM,
    UNSTEERED,
)
from problems.tables import PROBLEMS
from traces.tables import TRACES

SETTINGS = Settings(
    contexts=5,
    directions=["ward", "probe"],
    depths=[0.3, 0.6],
    strengths=[0.5],
    tested_strength=1.0,
    random=6,
    random_contexts=1,
    distance=6,
    attention_factors=[4.0, 9.0],
    free_contexts=5,
    free_tokens=5,
    seed=0,
    temperature=0.6,
    top_p=0.95,
    batch_size=8,
    generation_seed=0,
    detector="rules",
    batch_memory=0.01,
    verification=Verification(0.1, 3, 0),
)
TABLES = {
    "injection": INJECTION,
    "attention": INJECTION_ATTENTION,
    "free_runs": INJECTION_FREE_RUNS,
    "verification": VERIFICATION,
    "runs": RUNS,
}


def event_of(trace):
    end = trace["text"].index("=") + 5
    empty = dict.fromkeys(EVENTS.schema)
    return (
        empty
        | {"trace": trace["trace"], "event": 0, "kind": "arrival", "ordinal": 1}
        | {"start": end - 2, "end": end, "token": 0, "value": "26"}
    )


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="module")
def measured(model, tmp_path_factory):
    """Runs the stage with directions of these names; tables by name."""

    def run(names, settings=SETTINGS):
        folder = tmp_path_factory.mktemp("injection")
        tokenizer = load_tokenizer(model)
        traces = [trace_of(tokenizer, name) for name in CASES]
        problems = [problem_of(name) for name in CASES]
        TRACES.write(TRACES.frame(traces), folder / "traces")
        EVENTS.write(EVENTS.frame(list(map(event_of, traces))), folder / "events")
        PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems")
        known = [problem["problem"] for problem in problems]
        paths = write_tiny_directions(folder, load_decoder(model), known, names)
        main(
            traces_path=folder / "traces",
            events_path=folder / "events",
            vectors_path=paths["vectors"],
            directions_path=paths["directions"],
            parts_path=paths["problems"],
            problems_path=folder / "problems",
            **{f"{name}_path": folder / name for name in TABLES},
            model=model,
            settings=settings,
        )
        tables = {name: table.read(folder / name) for name, table in TABLES.items()}
        return tables, problems_to_test(paths["problems"])

    return run


@pytest.fixture(scope="module")
def whole(measured):
    return measured(NAMES)


def test_only_problems_to_test_are_used(whole):
    tables, to_test = whole
    for name in ("injection", "attention", "free_runs"):
        assert set(tables[name]["problem"]) == to_test


def test_every_context_has_its_injections(whole):
    kl = whole[0]["injection"]
    assert set(kl["direction"]) == {"ward", "probe", RANDOM}
    assert set(kl["kl"].list.len()) == {7}
    named = kl.filter(pl.col("direction") != RANDOM)
    # 2 directions x 2 depths: 2 strengths x 2 modes, and 2 factors once.
    arrival, end = (named.filter(place=place) for place in (ARRIVAL, PROMPT_END))
    assert arrival.height == 2 * 4 * (4 + 2)
    assert end.height == 2 * 4 * (2 + 2)
    random = kl.filter(direction=RANDOM)
    assert random["problem"].n_unique() == 1
    assert random.height == 6 * 2 * 2
    assert set(random["place"]) == {ARRIVAL}


def test_an_injection_once_and_always_begin_alike_and_part_later(whole):
    kl = whole[0]["injection"].filter(strength=1.0, factor=1.0)
    kl = kl.filter(pl.col("draw").is_null())
    parts = kl.partition_by("trace", "place", "direction", "boundary")
    assert len(parts) == 2 * 2 * 4
    for part in parts:
        once, always = (part.filter(mode=mode)["kl"][0] for mode in (ONCE, ALWAYS))
        assert once[0] == pytest.approx(always[0], rel=1e-4, abs=1e-9)
        assert once[1:].sum() < always[1:].sum()


def test_attention_is_read_once_unsteered_and_for_each_direction(whole):
    rows = whole[0]["attention"]
    for part in rows.partition_by("trace", "place"):
        names = part.select("direction", "boundary").unique()
        assert names.height == 1 + 2 * 2
        assert set(part["layer"]) == set(range(9))
    assert rows["attention"].list.len().unique().to_list() == [3]


def test_free_runs_are_those_of_the_unsteered_one_until_they_differ(whole):
    runs = whole[0]["free_runs"]
    plain = runs.filter(direction=UNSTEERED)
    assert plain.height == 2
    assert plain["first_different"].null_count() == 2
    assert (runs["tokens"] <= 5).all()
    random = runs.filter(direction=RANDOM)
    assert set(random["mode"]) == {ONCE}
    assert random.height == 5 * 2


def test_the_verification_holds(whole):
    checks = whole[0]["verification"]
    assert checks.height == 3
    for row in checks.to_dicts():
        if row["n"]:
            assert row["value"] <= row["bound"]
    assert checks.filter(pl.col("check").str.contains("other tokens"))["n"][0] > 0


@pytest.mark.parametrize(
    ("names", "settings"),
    [(("seal",), SETTINGS), (NAMES, replace(SETTINGS, distance=1000))],
)
def test_without_directions_or_contexts_the_tables_are_empty(measured, names, settings):
    tables, _ = measured(names, settings)
    assert all(table.is_empty() for table in tables.values())


def test_an_unknown_direction_is_refused_by_name(measured):
    typo = replace(SETTINGS, directions=["ward", "prob"])
    with pytest.raises(
        InputError, match=r"injection\.directions: 'prob' is not one of"
    ):
        measured(NAMES, typo)


def test_without_free_contexts_nothing_is_decoded(measured):
    tables, _ = measured(("ward",), replace(SETTINGS, free_contexts=0))
    assert tables["free_runs"].is_empty()
    assert set(tables["injection"]["direction"]) == {"ward", RANDOM}
    decoded = tables["verification"].filter(pl.col("unit") == "runs")
    assert decoded["n"].to_list() == [0]


def test_the_first_different_token_is_counted_from_1():
    of = partial(Completion, "0/0", logprobs=None, finish="stop")
    plain = of([7, 8, 9, 10])
    assert first_different(plain, of([7, 8, 9, 10]), 1) is None
    assert first_different(plain, of([7, 3, 9, 10]), 1) == 1
    assert first_different(plain, of([7, 8, 9]), 1) == 3
    assert first_different(plain, of([7, 8, 9, 10, 11]), 1) == 4
