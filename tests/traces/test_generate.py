"""Generated traces of a tiny random model and of the pocket model."""

import itertools
import shutil
from pathlib import Path

import polars as pl
import pytest

from doubletake.model.checkpoints import Checkpoint
from doubletake.running import cache_keys
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import shard_names
from doubletake.tables.runs import RUNS
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces import generate as generate_traces
from traces.generate import Settings
from traces.generate import main as generate_main
from traces.tables import TRACES

ORIGIN = ".earlier/1-of-1.origin.json"
SETTINGS = Settings(
    backend="transformers",
    samples=2,
    temperature=0.8,
    top_p=0.95,
    max_new_tokens=24,
    batch_size=4,
    seed=0,
)


@pytest.fixture
def problems_path(tmp_path):
    rows = [
        {
            "problem": f"{k:05d}",
            "question": f"Tom has {k} pens.",
            "gold": "19",
            "solution": "#### 19",
        }
        for k in range(7)
    ]
    PROBLEMS.write(PROBLEMS.frame(rows), tmp_path / "problems.parquet")
    return tmp_path / "problems.parquet"


def generated(tmp_path, problems_path, model, shards=1, **changes):
    settings = Settings(**(vars(SETTINGS) | changes))
    parts = []
    for shard in shard_names(shards):
        path = tmp_path / f"{shard}.parquet"
        generate_main(
            problems_path=problems_path,
            model_paths=sorted(Path(model.source).iterdir()),
            traces_path=path,
            runs_path=tmp_path / f"{shard}.runs.parquet",
            shard=shard,
            model=model,
            settings=settings,
            code="c0de",
        )
        parts.append(TRACES.read(path))
    return pl.concat(parts).sort("problem", "sample")


def test_shards_and_batch_size_change_nothing(tmp_path, problems_path, model):
    one = generated(tmp_path, problems_path, model)
    shutil.rmtree(tmp_path / ".earlier")
    four = generated(tmp_path, problems_path, model, shards=4, batch_size=1)
    assert one.drop("logprobs").equals(four.drop("logprobs"))
    for first, second in zip(one["logprobs"], four["logprobs"], strict=True):
        assert first.to_list() == pytest.approx(second.to_list(), abs=1e-4)


def test_a_row_keeps_its_contract(tmp_path, problems_path, model):
    traces = generated(tmp_path, problems_path, model)
    tokenizer = load_tokenizer(model)
    assert traces["trace"].n_unique() == traces.height
    for row in traces.iter_rows(named=True):
        text, offsets = tokenizer.decode(row["completion_ids"])
        assert (text, offsets) == (row["text"], row["offsets"])
        assert len(row["logprobs"]) == len(row["completion_ids"])
        assert row["prompt_ids"].count(tokenizer.tokenizer.bos_token_id) == 1
        if row["thought_end"] is not None:
            ids = row["prompt_ids"] + row["completion_ids"]
            assert ids[row["thought_end"]] == tokenizer.end_of_thought


def test_refused_rows_are_counted(tmp_path, problems_path, model):
    traces = generated(tmp_path, problems_path, model)
    run = RUNS.read(tmp_path / "1-of-1.runs.parquet").row(0, named=True)
    refused = run["note"].count("/")
    assert run["traces"] == traces.height
    assert traces.height + refused == 14
    assert run["tokens"] > traces["completion_ids"].list.len().sum()


def test_another_seed_gives_other_thoughts(tmp_path, problems_path, model):
    one = generated(tmp_path, problems_path, model)
    two = generated(tmp_path, problems_path, model, seed=1)
    assert one["text"].to_list() != two["text"].to_list()


def test_a_prompt_without_room_is_refused_by_id(tmp_path, model):
    rows = [
        {"problem": f"{k:05d}", "question": "x" * size, "gold": "1", "solution": ""}
        for k, size in enumerate([3000, 3])
    ]
    PROBLEMS.write(PROBLEMS.frame(rows), tmp_path / "problems.parquet")
    traces = generated(tmp_path, tmp_path / "problems.parquet", model, samples=1)
    run = RUNS.read(tmp_path / "1-of-1.runs.parquet").row(0, named=True)
    assert "00000/0" in run["note"].split(";")[0]
    assert "00000/0" not in traces["trace"]


@pytest.fixture
def pocket() -> ModelSettings:
    """The shipped model, whose completions are always text."""
    folder = Path(__file__).parents[2] / "resources/pocket"
    return ModelSettings(str(folder), None, "float32", "cpu", "</think>", {})


@pytest.fixture
def counted(monkeypatch):
    """Ids of the generated traces, without the kept ones."""
    generated_ids: list[str] = []

    def generate(hf, requests, *settings):
        generated_ids.extend(request.trace for request in requests)
        return real(hf, requests, *settings)

    real = generate_traces.generate
    monkeypatch.setattr(generate_traces, "generate", generate)
    return generated_ids


def few(problems_path, count: int):
    """The first `count` problems, as a lower limit gives them."""
    table = PROBLEMS.read(problems_path).head(count)
    path = problems_path.parent / f"few-{count}.parquet"
    PROBLEMS.write(table, path)
    return path


def test_more_problems_generate_only_the_new_thoughts(
    tmp_path, problems_path, pocket, counted
):
    for shards in (1, 2):
        folder = tmp_path / str(shards)
        folder.mkdir()
        generated(folder, few(problems_path, 4), pocket, shards=shards)
        counted.clear()
        more = generated(folder, problems_path, pocket, shards=shards)
        assert sorted(counted) == [f"{k:05d}/{s}" for k in (4, 5, 6) for s in (0, 1)]
        runs = [RUNS.read(path) for path in folder.glob("*.runs.parquet")]
        assert sum(run["traces"][0] for run in runs) == 6
        assert all("kept from an earlier run" in run["note"][0] for run in runs)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    unkept = generated(fresh, problems_path, pocket)
    assert more.drop("logprobs").equals(unkept.drop("logprobs"))


def test_more_samples_keep_the_first(tmp_path, problems_path, pocket, counted):
    generated(tmp_path, few(problems_path, 2), pocket, samples=1)
    counted.clear()
    generated(tmp_path, few(problems_path, 2), pocket, samples=2)
    assert sorted(counted) == ["00000/1", "00001/1"]


def test_thoughts_outlive_their_file(tmp_path, problems_path, pocket, counted):
    # Snakemake removes a rule's outputs before it runs, and where it has failed.
    path = few(problems_path, 2)
    before = generated(tmp_path, path, pocket, samples=1)
    counted.clear()
    (tmp_path / "1-of-1.parquet").unlink()
    assert generated(tmp_path, path, pocket, samples=1).equals(before)
    assert counted == []


def test_kept_thoughts_are_judged_by_the_present_gold(
    tmp_path, problems_path, pocket, counted
):
    path = few(problems_path, 2)
    length = {"samples": 1, "max_new_tokens": 400}
    before = generated(tmp_path, path, pocket, **length)
    assert before["answer"].null_count() == 0
    for golds, correct in ((before["answer"].to_list(), True), (["1.5"] * 2, False)):
        PROBLEMS.write(PROBLEMS.read(path).with_columns(gold=pl.Series(golds)), path)
        counted.clear()
        after = generated(tmp_path, path, pocket, **length)
        assert after["correct"].to_list() == [correct, correct]
        assert after.drop("correct").equals(before.drop("correct"))
        assert counted == []


def test_other_versions_of_the_libraries_generate_again(
    tmp_path, problems_path, pocket, counted, monkeypatch
):
    path = few(problems_path, 1)
    generated(tmp_path, path, pocket, samples=1)
    counted.clear()
    monkeypatch.setattr(cache_keys, "version", lambda name: "0")
    generated(tmp_path, path, pocket, samples=1)
    assert counted == ["00000/0"]


def spoil_traces(folder):
    path = folder / "1-of-1.parquet"
    path.write_bytes(path.read_bytes()[:-30])


def other_question(folder):
    path = folder / "few-2.parquet"
    table = PROBLEMS.read(path).with_columns(question=pl.col("question") + "!")
    PROBLEMS.write(table, path)


@pytest.mark.parametrize(
    ("change", "spoil"),
    [
        ({"seed": 3}, None),
        ({"temperature": 0.1}, None),
        ({"max_new_tokens": 20}, None),
        ({}, spoil_traces),
        ({}, other_question),
        ({}, lambda folder: (folder / ORIGIN).write_text("{")),
        ({}, lambda folder: (folder / ORIGIN).unlink()),
    ],
)
def test_what_decides_the_thoughts_generates_again(
    tmp_path, problems_path, pocket, counted, change, spoil
):
    path = few(problems_path, 2)
    generated(tmp_path, path, pocket, samples=1)
    counted.clear()
    if spoil:
        spoil(tmp_path)
    generated(tmp_path, path, pocket, samples=1, **change)
    assert sorted(counted) == ["00000/0", "00001/0"]


def test_a_new_batch_size_keeps_the_thoughts(tmp_path, problems_path, pocket, counted):
    path = few(problems_path, 2)
    generated(tmp_path, path, pocket, samples=1)
    counted.clear()
    generated(tmp_path, path, pocket, samples=1, batch_size=1)
    assert counted == []


@pytest.fixture
def stopped(monkeypatch):
    """A function that lets the next generation stop after so many results."""
    monkeypatch.setattr(Checkpoint, "is_due", property(lambda _: True))

    def stop_after(count: int) -> None:
        def generate(*arguments):
            yield from itertools.islice(real(*arguments), count)
            monkeypatch.setattr(generate_traces, "generate", real)
            raise KeyboardInterrupt

        real = generate_traces.generate
        monkeypatch.setattr(generate_traces, "generate", generate)

    return stop_after


def test_a_stopped_generation_ends_in_the_same_bytes(
    tmp_path, problems_path, pocket, stopped
):
    length = {"max_new_tokens": 300, "batch_size": 3}
    (tmp_path / "other").mkdir()
    generated(tmp_path / "other", problems_path, pocket, **length)
    stopped(400)
    with pytest.raises(KeyboardInterrupt):
        generated(tmp_path, problems_path, pocket, **length)
    checkpoint = tmp_path / ".earlier/1-of-1.checkpoint.safetensors"
    assert checkpoint.exists()
    generated(tmp_path, problems_path, pocket, **length)
    name = "1-of-1.parquet"
    assert (tmp_path / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    runs = [RUNS.read(tmp_path / f / "1-of-1.runs.parquet") for f in (".", "other")]
    (here, there) = (run.row(0, named=True) for run in runs)
    assert "begun ones kept from an interrupted attempt" in here["note"]
    assert here["tokens"] < there["tokens"]
    assert not checkpoint.exists()


@pytest.mark.parametrize("change", [{"seed": 3}, {"temperature": 0.1}])
def test_a_checkpoint_of_other_settings_is_not_used(
    tmp_path, problems_path, pocket, stopped, caplog, change
):
    stopped(40)
    with pytest.raises(KeyboardInterrupt):
        generated(tmp_path, problems_path, pocket)
    generated(tmp_path, problems_path, pocket, **change)
    (tmp_path / "other").mkdir()
    generated(tmp_path / "other", problems_path, pocket, **change)
    name = "1-of-1.parquet"
    assert (tmp_path / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert "other settings, model, code or versions made it" in caplog.text
