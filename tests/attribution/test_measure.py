"""Attribution outside Snakemake: tables, shards, batches, memory, verification."""

import dataclasses
import logging

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_attribution import VERIFICATION as SHARE
from tiny_attribution import write_study

from attribution import scoring
from attribution.agreement import CELLS
from attribution.measure import main
from attribution.scoring import Settings
from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
)
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

SETTINGS = Settings(
    batch_memory=0.1,
    kinds=["backtrack", "control"],
    metric="log_odds",
    method="gradient",
    steps=2,
    components=False,
    verification=SHARE,
    least_problems=3,
)
TABLES = {
    "scores": ATTRIBUTION,
    "tokens": ATTRIBUTION_TOKENS,
    "prompts": ATTRIBUTION_PROMPTS,
    "cells": ATTRIBUTION_CELLS,
    "verification": VERIFICATION,
    "runs": RUNS,
}


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("attribution")
    write_study(folder, model)
    return folder


@pytest.fixture
def run(folder, model, tmp_path):
    def run_shard(shard: str = "1-of-1", **changes) -> dict[str, pl.DataFrame]:
        paths = {f"{name}_path": tmp_path / f"{shard}.{name}" for name in TABLES}
        main(
            problems_path=folder / "problems.parquet",
            traces_path=folder / "traces.parquet",
            events_path=folder / "events.parquet",
            turns_path=folder / "turns.parquet",
            words_path=folder / "words.parquet",
            index_path=folder / "index.parquet",
            cache_paths=[folder / "1-of-1.safetensors"],
            **paths,
            model=model,
            settings=dataclasses.replace(SETTINGS, **changes),
            shard=shard,
        )
        return {
            name: table.read(paths[f"{name}_path"]) for name, table in TABLES.items()
        }

    return run_shard


def test_a_wrong_start_of_patched_passes_is_noticed(run, monkeypatch):
    from doubletake.model import patching

    moving = patching._moving
    monkeypatch.setattr(
        patching,
        "_moving",
        lambda means, cells, start, steps: moving(
            means, cells, max(start - 1, 0), steps
        ),
    )
    row = run()["verification"].row(1, named=True)
    assert row["value"] > row["bound"]


RESULTS = ("scores", "tokens", "prompts", "cells")
ORDER = {
    "cells": ["trace", "event", "component", "layer", "token"],
    "prompts": ["trace"],
}


def assert_same(ours: dict[str, pl.DataFrame], theirs: dict[str, pl.DataFrame]) -> None:
    for name in RESULTS:
        order = ORDER.get(name, ["trace", "event"])
        a, b = (t[name].sort(order, maintain_order=True) for t in (ours, theirs))
        assert_frame_equal(a, b, abs_tol=2e-5, rel_tol=1e-3)


def test_one_row_per_decision_and_layer(run):
    found = run()
    scores, tokens = found["scores"], found["tokens"]
    assert scores.height == 8 * 3
    assert scores["layer"].to_list() == [0, 1, 2] * 8
    assert (scores["scores"].list.len() == scores["position"]).all()
    assert scores.group_by("kind").len()["len"].to_list() == [12, 12]
    for row in tokens.iter_rows(named=True):
        layers = scores.filter(trace=row["trace"], event=row["event"])
        table = torch.tensor(layers["scores"].to_list())
        assert row["max_abs"] == pytest.approx(table.abs().amax(0).tolist())
        assert row["mean_abs"] == pytest.approx(table.abs().mean(0).tolist(), rel=1e-5)
        assert [abs(v) for v in row["signed_max"]] == pytest.approx(row["max_abs"])
        assert row["position_max_abs"] == pytest.approx(
            layers["position_score"].abs().max()
        )
        start, end = row["question_start"], row["question_end"]
        assert 0 < start < end <= row["thought_start"] <= row["position"]


def test_shards_change_nothing(run):
    whole = run()
    parts = [run(f"{k}-of-3") for k in (1, 2, 3)]
    joined = {name: pl.concat([part[name] for part in parts]) for name in RESULTS}
    assert_same(joined, whole)
    assert sum(part["runs"]["traces"][0] for part in parts) == 4


@pytest.mark.parametrize("method", ["gradient", "integrated"])
def test_batches_change_nothing(run, method):
    assert_same(run(method=method, batch_memory=1e-6), run(method=method))


def test_a_batch_that_does_not_fit_is_halved_with_a_warning(run, monkeypatch, caplog):
    wanted = run()
    plain = scoring.attribute

    def small(decoder, metric, means, decisions):
        if len(decisions) > 2:
            raise torch.OutOfMemoryError("too many")
        return plain(decoder, metric, means, decisions)

    monkeypatch.setattr(scoring, "attribute", small)
    with caplog.at_level(logging.WARNING):
        found = run()
    assert "batch halved" in caplog.text
    assert_same(found, wanted)


def test_components_are_scored_and_verified_beside_the_residual(run):
    plain, found = run(), run(components=True)
    components = found["scores"]["component"].unique().sort().to_list()
    assert components == ["attn_out", "mlp_out", "resid"]
    assert set(found["cells"]["component"]) == set(components)
    assert found["verification"].drop_nulls("bound")["n"].to_list() == [3, 3]
    assert_frame_equal(
        found["scores"].filter(component="resid"), plain["scores"], abs_tol=1e-6
    )
    assert found["tokens"].equals(plain["tokens"])


def test_metric_and_method_change_the_scores(run):
    plain = run()["scores"]
    for change in (
        {"metric": "target"},
        {"metric": "difference"},
        {"method": "integrated"},
    ):
        other = run(**change)["scores"]
        assert other["position"].equals(plain["position"])
        assert not other["scores"].equals(plain["scores"])


def test_the_sample_is_verified_and_the_checks_say_so(run):
    found = run()
    cells, checks = found["cells"], found["verification"]
    assert cells.select("trace", "event").n_unique() == 6
    assert cells["problem"].n_unique() == 4
    assert cells.height == 6 * CELLS
    assert not cells.select("trace", "event", "layer", "token").is_duplicated().any()
    positions = cells.join(found["tokens"], on=["trace", "event"])
    assert (positions["token"] < positions["position"]).all()
    bounded = checks.drop_nulls("bound")
    assert bounded["n"].to_list() == [6, 1]
    assert (bounded["value"] <= bounded["bound"]).all()
    layers = checks.filter(pl.col("check").str.contains("gradient"))
    assert layers["check"].n_unique() == 3
    shares = checks.filter(unit="share")["value"].drop_nulls()
    assert shares.is_between(0, 1).all()
    assert found["cells"]["exact"].abs().max() > 1e-4


@pytest.mark.parametrize("used", ["gradient", "integrated"])
def test_the_other_method_is_run_at_every_fourth_decision(run, used):
    (other,) = {"gradient", "integrated"} - {used}
    found = run(method=used, verification=Verification(0.01, 8, 0))
    cells, checks = found["cells"], found["verification"]
    assert cells.select("trace", "event").n_unique() == 8
    assert cells[used].null_count() == 0
    known = cells.drop_nulls(other)
    assert known.height == 2 * CELLS
    assert known.select("trace", "event").n_unique() == 2
    scores = run(method=other)["scores"]
    for row in known.iter_rows(named=True):
        cell = {name: row[name] for name in ("trace", "event", "layer")}
        wanted = scores.filter(**cell)["scores"].item()[row["token"]]
        assert row[other] == pytest.approx(wanted, rel=1e-3, abs=2e-5)
    signs = checks.filter(statistic="equal signs")
    layers = signs.filter(pl.col("check").str.starts_with(used))
    assert layers["n"].to_list() == [2, 3, 3]
    assert signs.filter(pl.col("check").str.starts_with(other))["n"].to_list() == [2]


def test_a_shard_without_traces_writes_empty_tables(run):
    found = run("7-of-9")
    assert all(found[name].is_empty() for name in RESULTS)
    checks = found["verification"]
    assert checks["value"].to_list() == [None, None]
    assert checks["n"].to_list() == [0, 0]
    assert found["runs"]["tokens"].to_list() == [0]
