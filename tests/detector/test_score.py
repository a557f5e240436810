"""From labelled traces to scores and mistakes."""

import json
from pathlib import Path

import polars as pl
import pytest

from detector.score import main
from detector.tables import DETECTOR_MISTAKES, DETECTOR_SCORES
from doubletake.detector.detectors import GOLD_BASED, SCORED
from doubletake.running.errors import InputError
from doubletake.stats.intervals import IntervalSettings

SHIPPED = Path(__file__).parents[2] / "resources/pocket/labelled_traces.jsonl"
SETTINGS = IntervalSettings(least_problems=3)


@pytest.fixture
def score(tmp_path):
    def run(labels: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
        scores, mistakes = tmp_path / "scores.parquet", tmp_path / "mistakes.parquet"
        main(
            labels_path=labels,
            scores_path=scores,
            mistakes_path=mistakes,
            settings=SETTINGS,
        )
        return DETECTOR_SCORES.read(scores), DETECTOR_MISTAKES.read(mistakes)

    return run


def test_the_shipped_labels(score):
    scores, mistakes = score(SHIPPED)
    assert set(scores["detector"]) == set(SCORED)
    rules = scores.filter(detector="rules")
    assert rules["traces"].unique().to_list() == [60]
    assert (rules["f1"] >= 0.99).all()
    simple = scores.filter(pl.col("detector").is_in(GOLD_BASED))
    assert (simple["f1"] < 0.95).all()
    counted = mistakes.group_by("detector", "kind", "mistake").len()
    overall = scores.filter(pl.col("model").is_null())
    for row in overall.iter_rows(named=True):
        of = counted.filter(detector=row["detector"], kind=row["kind"])
        lengths = dict(of.select("mistake", "len").iter_rows())
        assert lengths.get("missed", 0) == row["labelled"] - row["hits"]
        assert lengths.get("false hit", 0) == row["found"] - row["hits"]


def test_the_causal_detector_is_scored_beside_the_full_one(score):
    scores, _ = score(SHIPPED)
    causal = scores.filter(pl.col("model").is_null(), detector="causal")
    assert causal["kind"].sort().to_list() == ["arrival", "backtrack"]
    assert (causal["f1"] > 0.95).all()


def test_mistakes_stand_in_their_text(score):
    texts = {row["id"]: row["thought"] for row in map(json.loads, SHIPPED.open("rb"))}
    _, mistakes = score(SHIPPED)
    assert mistakes.height > 0
    for row in mistakes.iter_rows(named=True):
        assert row["before"] + row["after"] in texts[row["trace"]]
        assert len(row["before"]) <= 80
        if row["kind"] == "arrival":
            assert row["before"].endswith(row["value"])


def test_labels_without_gold_are_named(score, tmp_path):
    row = json.loads(SHIPPED.read_text().splitlines()[0])
    del row["gold"]
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(InputError, match="line 1: no 'gold'"):
        score(path)


def test_the_real_labels(score, data_folder):
    scores, _ = score(data_folder / "labels/labelled_traces.jsonl")
    overall = scores.filter(pl.col("model").is_null(), detector="rules")
    bars = {"arrival": 0.93, "backtrack": 0.88}
    for row in overall.iter_rows(named=True):
        assert row["f1_low"] <= row["f1"] <= row["f1_high"]
        assert row["f1"] >= bars[row["kind"]]
    assert scores["model"].drop_nulls().n_unique() == 4


@pytest.mark.parametrize("name", ["labelled_traces", "labelled_traces_2"])
def test_what_the_causal_detector_loses_on_real_labels(score, data_folder, name):
    scores, _ = score(data_folder / f"labels/{name}.jsonl")
    overall = scores.filter(pl.col("model").is_null(), detector="causal")
    causal = {row["kind"]: row for row in overall.iter_rows(named=True)}
    assert causal["arrival"]["recall"] > 0.9
    assert causal["arrival"]["precision"] > 0.65
    assert causal["backtrack"]["recall"] > 0.9
    assert causal["backtrack"]["precision"] > 0.7
