"""Continuations of thoughts of the pocket model, from tables to tables."""

import dataclasses
import math

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tiny_directions import write_tiny_directions

from directions.reading import problems_to_test
from doubletake.running.errors import InputError
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from shards.merge import merge
from traces.tables import TRACES
from wrong_samples.measure import FROM_A_FILE, continuing_of, main
from wrong_samples.shard import Settings
from wrong_samples.summarise import net_changes, summarise
from wrong_samples.tables import THOUGHTS, WRONG_SAMPLES

SETTINGS = Settings(
    thoughts=None,
    wanted=0,
    further=0,
    samples=2,
    right_samples=1,
    actions=["wait", "steer", "steer_wait", "random", "vote", "afresh"],
    early_actions=["end", "wrap_up", "random"],
    word="Wait",
    direction="venhoff",
    layer=0.5,
    strength=0.3,
    wrap_up_strength=0.3,
    most_votes=3,
    seed=0,
    temperature=0.6,
    top_p=0.95,
    max_new_tokens=200,
    batch_size=9,
    generation_seed=3,
    detector="rules",
    verification=Verification(share=0.1, minimum=3, seed=0),
)
TABLES = {
    "continuations": WRONG_SAMPLES,
    "thoughts": THOUGHTS,
    "verification": VERIFICATION,
    "runs": RUNS,
}


def run(folder, model, out, shard="1-of-1", traces="traces.parquet", **changes):
    """The tables of a shard by name."""
    paths = {name: out / f"{shard}.{name}.parquet" for name in TABLES}
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / traces,
        recipes_path=folder / "directions.parquet",
        parts_path=folder / "directions/problems.parquet",
        vectors_path=folder / "directions/vectors.safetensors",
        **{f"{name}_path": path for name, path in paths.items()},
        model=model,
        settings=dataclasses.replace(SETTINGS, **changes),
        shard=shard,
    )
    return {name: table.read(paths[name]) for name, table in TABLES.items()}


@pytest.fixture(scope="module")
def measured(study, pocket, tmp_path_factory):
    return run(study, pocket, tmp_path_factory.mktemp("measured"))


@pytest.fixture(scope="module")
def traces(study):
    return {
        row["trace"]: row for row in TRACES.read(study / "traces.parquet").to_dicts()
    }


def test_every_case_has_every_action_and_draw(measured, traces, study):
    table = measured["continuations"]
    test = problems_to_test(study / "directions/problems.parquet")
    wrong, right = (table.filter(start=name) for name in ("wrong", "right"))
    assert wrong["problem"].n_unique() == wrong["trace"].n_unique() >= 3
    assert right["trace"].n_unique() == wrong["trace"].n_unique()
    assert set(table["problem"]) <= test
    for row in table.to_dicts():
        assert traces[row["trace"]]["correct"] == (row["start"] == "right")
    last = table.filter(place="last").group_by("start", "trace", "draw").len()
    assert last.filter(start="wrong")["len"].unique().to_list() == [7]
    assert last.filter(start="right")["len"].unique().to_list() == [5]
    early = table.filter(place="first").group_by("trace", "draw").len()
    assert early["len"].unique().to_list() == [4]
    assert table.filter(place="first")["start"].unique().to_list() == ["right"]


def test_continuations_go_on_from_the_cut(measured, traces):
    cut_texts = set()
    for row in measured["continuations"].filter(pl.col("action") != "vote").to_dicts():
        whole = traces[row["trace"]]
        if row["action"] == "afresh":
            assert row["kept"] == 0
            continue
        offsets, kept = whole["offsets"], row["kept"]
        before = whole["text"][: offsets[kept] if kept < len(offsets) else None]
        assert before.rstrip()[-1] in ".!?"
        cut_texts.add((row["trace"], row["place"], before))
        text = row["text"]
        if row["action"] in ("wait", "steer_wait"):
            assert text.lstrip().startswith("Wait")
        if row["action"] == "end":
            assert text.lstrip().startswith("</think>")
        assert row["tokens"] >= 1
    places = {(trace, place) for trace, place, _ in cut_texts}
    assert len(places) == len(cut_texts)


def test_states_change_where_they_must_and_strength_0_changes_nothing(measured):
    checks = measured["verification"].rows_by_key("statistic", named=True)
    (zero,) = checks["continuations with another token"]
    assert (zero["value"], zero["bound"]) == (0, 0.1)
    assert zero["n"] >= 3
    for row in checks["violations"]:
        assert row["value"] == row["bound"] == 0
        assert row["n"] >= measured["continuations"].height - 20


def test_draws_and_random_directions_differ(measured):
    table = measured["continuations"].filter(place="last")
    texts = {
        action: table.filter(action=action).sort("trace", "draw")["text"].to_list()
        for action in ("resample", "random", "afresh")
    }
    assert texts["random"] != texts["resample"]
    first = table.filter(action="afresh", draw=0).sort("trace")["text"].to_list()
    second = table.filter(action="afresh", draw=1).sort("trace")["text"].to_list()
    assert first != second


def test_votes_stay_within_the_tokens_of_the_dearest_action(measured):
    table = measured["continuations"].filter(place="last")
    votes = table.filter(action="vote")
    assert votes["votes"].is_between(1, SETTINGS.most_votes).all()
    assert votes["votes"].n_unique() > 1
    plain = table.filter(action="resample")
    price = plain.group_by("trace").agg(pl.col("tokens").mean().alias("price"))
    dear = (
        table.filter(pl.col("action").is_in(["wait", "steer", "steer_wait"]))
        .group_by("trace", "draw")
        .agg(pl.col("tokens").max().alias("budget"))
    )
    joined = votes.join(dear, on=["trace", "draw"]).join(price, on="trace")
    for row in joined.to_dicts():
        expected = max(1, min(3, math.ceil(row["budget"] / row["price"])))
        assert row["votes"] == expected


def test_the_number_of_shards_changes_nothing(measured, study, pocket, tmp_path):
    parts = [run(study, pocket, tmp_path, shard=f"{k}-of-2") for k in (1, 2)]
    for name in ("continuations", "thoughts"):
        assert all(part[name].height for part in parts)
        merged = merge(TABLES[name], [part[name] for part in parts])
        assert_frame_equal(merged, merge(TABLES[name], [measured[name]]))


def test_further_thoughts_are_sampled_where_too_few_end_wrong(
    study, pocket, measured, tmp_path
):
    found = run(study, pocket, tmp_path, wanted=9, further=4, actions=["wait"])
    further = found["thoughts"].filter(source="further")
    assert further.height == 4
    assert further["problem"].n_unique() == 4
    assert all(name.endswith("/1") for name in further["trace"])
    own = found["thoughts"].filter(source="study")
    assert own["trace"].n_unique() == 16
    wrong = found["continuations"].filter(start="wrong")["trace"].unique()
    more = further.filter(~pl.col("correct"), pl.col("arrivals") > 0)["trace"]
    studied = measured["continuations"].filter(start="wrong")["trace"].unique()
    assert set(wrong) == {*studied, *more}


def test_absent_directions_leave_their_actions_out(study, pocket, decoder, tmp_path):
    folder = tmp_path / "absent"
    problems = [f"{k:05d}" for k in range(16)]
    write_tiny_directions(folder, decoder, problems, names=("ward",))
    for name in ("problems.parquet", "traces.parquet"):
        (folder / name).symlink_to(study / name)
    found = run(folder, pocket, tmp_path, actions=["wait", "steer", "random"])
    actions = found["continuations"]["action"].unique()
    assert set(actions) == {"resample", "wait", "end"}
    note = found["runs"]["note"][0]
    assert "steer (last arrival): the study has no such direction" in note
    assert "wrap_up (first arrival): the study has no such direction" in note
    assert found["verification"].filter(unit="share")["n"][0] == 0


def test_an_unknown_direction_is_refused_by_name(study, pocket, tmp_path):
    with pytest.raises(InputError, match=r"wrong_samples\.direction: .*'nobody'.*seal"):
        run(study, pocket, tmp_path, direction="nobody")


def test_directions_of_another_model_are_refused(study, pocket, tmp_path):
    other = dataclasses.replace(pocket, revision="0" * 40)
    with pytest.raises(InputError, match="another model"):
        continuing_of(
            type("Decoder", (), {"n_layers": 4}),
            study / "directions/vectors.safetensors",
            other,
            SETTINGS,
        )


def test_thoughts_from_a_file_are_not_continued(study, pocket, tmp_path):
    traces = TRACES.read(study / "traces.parquet").with_columns(
        logprobs=pl.lit(None, dtype=pl.List(pl.Float32))
    )
    TRACES.write(traces, study / "imported.parquet")
    found = run(study, pocket, tmp_path, traces="imported.parquet")
    assert found["continuations"].is_empty()
    assert found["thoughts"].is_empty()
    assert found["runs"]["note"].to_list() == [FROM_A_FILE]


def test_a_study_without_wrong_thoughts_has_no_continuation(study, pocket, tmp_path):
    traces = TRACES.read(study / "traces.parquet").filter(pl.col("correct"))
    TRACES.write(traces, study / "right.parquet")
    found = run(study, pocket, tmp_path, traces="right.parquet")
    assert found["continuations"].is_empty()
    assert found["thoughts"].height == traces.height
    s = IntervalSettings()
    assert summarise(found["continuations"], s).is_empty()
    assert net_changes(found["continuations"], found["thoughts"], s).is_empty()
