"""Changes of thoughts of the pocket model, from tables to tables."""

import dataclasses

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.equations import first_slip
from events.tables import EVENTS
from mistakes.changes import Wording, change_at
from mistakes.edits import characters_changed, edit_of, external_edit, tokens_kept
from mistakes.measure import FROM_A_FILE, main
from mistakes.names import CHOSEN, CONTROLS
from mistakes.plan import thoughts_of
from mistakes.shard import Settings
from mistakes.sites import sites_of
from mistakes.summarise import contrasts, planted_rates, summarise
from mistakes.tables import BOUNDARIES, EDITS, MISTAKES
from problems.tables import PROBLEMS
from shards.merge import merge
from traces.tables import TRACES
from truth.tables import TRUTH

SETTINGS = Settings(
    thoughts=4,
    own=2,
    samples=2,
    boundaries=3,
    boundary_samples=1,
    boundary_tokens=40,
    places=["early", "middle", "last", "final"],
    kinds=list(CHOSEN),
    filler="The steps are not hard to do.",
    filler_at_answer="That was not hard.",
    word="Wait",
    external="{question}\n\nA beginning: {beginning}\n\nIs it right?",
    seed=0,
    temperature=0.6,
    top_p=0.95,
    max_new_tokens=200,
    batch_size=40,
    generation_seed=3,
    detector="rules",
    verification=Verification(share=0.05, minimum=3, seed=0),
)
KEYS = ["trace", "place", "kind", "draw"]
TABLES = {
    "mistakes": MISTAKES,
    "edits": EDITS,
    "boundaries": BOUNDARIES,
    "verification": VERIFICATION,
    "runs": RUNS,
}


def run(folder, model, out, shard="1-of-1", traces="traces", truth="truth", **changes):
    """The tables of a shard by name."""
    paths = {name: out / f"{shard}.{name}.parquet" for name in TABLES}
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / f"{traces}.parquet",
        events_path=folder / "events.parquet",
        truth_path=folder / f"{truth}.parquet",
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


def test_edits_change_the_named_characters_and_no_other_token(
    measured, traces, tokenizer
):
    edits = measured["edits"]
    assert {"result", "operand", "paraphrase", "filler", "wait"} <= set(edits["kind"])
    for row in edits.to_dicts():
        trace = traces[row["trace"]]
        own, offsets = trace["completion_ids"], [*trace["offsets"], len(trace["text"])]
        first, cut = row["first"] - len(trace["prompt_ids"]), offsets[row["kept"]]
        middle = own[first + len(row["old_tokens"]) : row["kept"]]
        assert row["old_tokens"] == own[first : first + len(row["old_tokens"])]
        ids = [*own[:first], *row["new_tokens"], *middle]
        text, (start, end) = trace["text"], (row["start"], row["end"])
        added = row["appended"] if row["kind"] == "filler" else ""
        wanted = text[:start] + row["new"] + text[end:cut]
        got = tokenizer.decode(ids)[0]
        assert got.removesuffix(added).rstrip() == wanted.rstrip()
        assert text[start:end] == row["old"]
        assert row["sentence"] <= start
        assert end <= row["cut"] <= cut


def test_edited_equations_are_false_and_controls_are_true(measured, traces):
    checked = 0
    for row in measured["edits"].filter(pl.col("place") != "final").to_dicts():
        text = traces[row["trace"]]["text"]
        before = text[: row["start"]] + row["new"] + text[row["end"] : row["cut"]]
        wrong = row["kind"] in (
            *("result", "opposite", "operand", "wait"),
            *("external", "planted", "own"),
        )
        assert (first_slip(before) is not None) == wrong
        checked += 1
    assert checked > 40


def test_every_kind_of_a_place_has_the_same_cut_and_every_draw(measured):
    edits = measured["edits"].group_by("trace", "place").agg(pl.col("kept").n_unique())
    assert edits["kept"].unique().to_list() == [1]
    table = measured["mistakes"]
    keys = ["trace", "place", "kind"]
    assert table.group_by(keys).len()["len"].unique().to_list() == [2]
    for (_, place), part in table.group_by("trace", "place"):
        kinds = set(part["kind"])
        assert ("none" in kinds) == (place != "slip")
        assert {"own", "mended"} & kinds == (
            {"own", "mended"} if place == "slip" else set()
        )
        assert not {"wait", "external"} & kinds or place == "last"


def test_the_next_sentence_is_what_follows_the_cut(measured):
    table = measured["mistakes"]
    turned = table.filter(pl.col("turned"))
    assert turned.height >= 3
    words = turned["following"].str.split(" ").list.first()
    assert set(words) <= {"Wait,", "Hmm,", "But", "Alternatively,", "Let"}
    unseen = table.filter(pl.col("kind").is_in(["wait", "external"]))
    assert unseen["turned"].null_count() == unseen["noticed"].null_count()
    assert unseen["turned"].null_count() == unseen.height > 0


def test_a_right_answer_corrects_only_what_changes_the_answer(measured):
    table = measured["mistakes"]
    local = table.filter(pl.col("kind").is_in(["operand", "unit"]))
    assert local.height >= 3
    assert local["corrected"].equals(local["restated"])
    assert local.filter("correct")["corrected"].not_().any()
    plain = table.filter(pl.col("kind").is_in([*CONTROLS, "mended"]))
    assert plain["corrected"].null_count() == plain.height > 0
    others = table.join(pl.concat([local, plain]), on=KEYS, how="anti")
    wanted = others["correct"] | others["restated"]
    assert others["corrected"].equals(wanted)
    units = table.filter(kind="unit")
    assert units["unit_restated"].equals(units["restated"])


@pytest.mark.parametrize("where", ["before", "after", "prompt"])
def test_a_token_outside_of_the_change_is_found(study, tokenizer, where):
    traces, problems, events = (
        table.read(study / f"{table.key}.parquet")
        for table in (TRACES, PROBLEMS, EVENTS)
    )
    wording = Wording(0, "F.", "F.", "Wait", [], planted=True)
    edits = [
        edit_of(thought, change, tokenizer)
        for thought in thoughts_of(traces, problems, events)
        for site in sites_of(thought)
        for kind in ("none", "filler", "result", "wait", "paraphrase", "operand")
        if (change := change_at(thought, site, kind, wording)) is not None
    ]
    assert all(tokens_kept(one, tokenizer) for one in edits)
    assert all(characters_changed(one, tokenizer) for one in edits)
    broken = next(one for one in edits if one.name == "last/wait")
    if where == "prompt":
        outside = external_edit(broken, "{question} {beginning}", tokenizer)
        outside = dataclasses.replace(
            outside, change=dataclasses.replace(outside.change, appended="Wait")
        )
        prompt = tuple(tokenizer.prompt_ids("Another question."))
        lost = dataclasses.replace(outside, prompt=prompt)
        assert characters_changed(outside, tokenizer)
        assert not characters_changed(lost, tokenizer)
        return
    index = broken.first - 1 if where == "before" else broken.end
    ids = list(broken.ids)
    ids[index] = ids[index] + 1
    assert not tokens_kept(dataclasses.replace(broken, ids=tuple(ids)), tokenizer)


def test_boundaries_know_what_the_language_plants(measured):
    table = measured["boundaries"]
    assert not {"external", "wait"} & set(table["kind"])
    slips = table.filter(pl.col("kind").is_in(["planted", "opposite"]))
    known = slips.drop_nulls("planted")
    assert known.height >= 3
    assert set(known["cause"]) == {"slip"}
    assert known["planted"].unique().to_list() == pytest.approx([0.78])
    plain = table.filter(kind="none", place="last").drop_nulls("planted")
    assert "slip" not in set(plain["cause"])
    further = table.filter(kind="planted")
    assert further["trace"].n_unique() == 3
    assert not set(further["trace"]) & set(
        measured["mistakes"].filter(pl.col("place") != "slip")["trace"]
    )


def test_the_checks_find_nothing(measured):
    checks = measured["verification"]
    assert checks["value"].to_list() == [0.0] * 5
    assert checks["n"].min() >= 3
    assert measured["runs"]["note"].to_list() == [""]


def test_shards_and_batches_change_nothing(measured, study, pocket, tmp_path):
    parts = [
        run(study, pocket, tmp_path, shard=f"{k}-of-2", batch_size=25) for k in (1, 2)
    ]
    for name in ("mistakes", "edits", "boundaries"):
        assert all(part[name].height for part in parts)
        merged = merge(TABLES[name], [part[name] for part in parts])
        assert_frame_equal(merged, merge(TABLES[name], [measured[name]]))


def test_without_a_planted_language_nothing_is_planted(study, pocket, tmp_path):
    TRUTH.write(TRUTH.frame([]), study / "none.parquet")
    found = run(
        study, pocket, tmp_path, truth="none", thoughts=1, own=0, kinds=["paraphrase"]
    )
    assert found["boundaries"].is_empty()
    assert found["edits"].is_empty()  # there is nothing but controls to make
    assert found["verification"]["n"].to_list() == [0] * 5


def test_thoughts_from_a_file_are_not_continued(study, pocket, tmp_path):
    traces = TRACES.read(study / "traces.parquet").with_columns(
        logprobs=pl.lit(None, dtype=pl.List(pl.Float32))
    )
    TRACES.write(traces, study / "imported.parquet")
    found = run(study, pocket, tmp_path, traces="imported")
    assert all(found[name].is_empty() for name in ("mistakes", "edits", "boundaries"))
    assert found["runs"]["note"].to_list() == [FROM_A_FILE]
    s = IntervalSettings()
    assert summarise(found["mistakes"], s).is_empty()
    assert contrasts(found["mistakes"], s).is_empty()
    assert planted_rates(found["boundaries"], s).is_empty()
