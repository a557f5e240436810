"""The whole script on a tiny study: fit and test never meet, equal runs are equal."""

import json
from dataclasses import replace

import polars as pl
import pytest
from tiny_ablation import write_study
from tiny_traces import THOUGHT

from ablation import settings as ablation_settings
from ablation.measure import FROM_A_FILE, Settings, main
from ablation.rates import decoded_rates
from ablation.summarise import effects_of
from directions.tables import DIRECTION_PROBLEMS
from doubletake.running.errors import InputError
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification

SETTINGS = Settings(
    boundaries=5,
    sizes=[4, 2],
    heads=2,
    boundary=None,
    random_draws=40,
    continuations=3,
    tokens=6,
    thoughts=2,
    thought_tokens=9,
    seed=0,
    temperature=0.6,
    top_p=0.95,
    max_new_tokens=40,
    batch_size=8,
    generation_seed=0,
    detector="rules",
    batch_memory=0.1,
    verification=Verification(0.01, 8, 0),
)


def run(study, model):
    main(inputs=study.inputs, outputs=study.outputs, model=model, settings=SETTINGS)
    return study.read()


@pytest.fixture(scope="module")
def study(tmp_path_factory, decoder, tokenizer):
    return write_study(tmp_path_factory.mktemp("ablation"), decoder, tokenizer)


@pytest.fixture(scope="module")
def found(study, model):
    return run(study, model)


def parts(study):
    table = DIRECTION_PROBLEMS.read(study.inputs["parts"])
    return {name: set(table.filter(part=name)["problem"]) for name in ("fit", "test")}


def test_every_number_is_of_a_test_problem(study, found):
    problems = parts(study)
    for name in ("boundaries", "decoded"):
        assert set(found[name]["problem"]) <= problems["test"]
        assert not set(found[name]["problem"]) & problems["fit"]
    assert found["boundaries"].select("trace", "event").unique().height == 5


def test_thoughts_of_test_problems_choose_no_target(
    tmp_path_factory, decoder, tokenizer, model, found
):
    """Other thoughts on the test problems: the same sets. On a fit problem: others."""
    other = THOUGHT.replace("First, 12 + 7 = 19.", "7 pens and 12 pens. That is 19.")
    for numbers, same in ((range(1, 12, 2), True), (range(0, 12, 2), False)):
        folder = tmp_path_factory.mktemp("other")
        texts = dict.fromkeys(numbers, other)
        changed = run(write_study(folder, decoder, tokenizer, texts=texts), model)
        columns = ["ablation", "null", "draw", "members", "written"]
        tables = [one["sets"].select(columns) for one in (found, changed)]
        assert tables[0].equals(tables[1]) == same
        assert not changed["boundaries"].equals(found["boundaries"])


def test_packed_passes_equal_plain_ones_and_are_counted(found):
    (check,) = found["verification"].to_dicts()
    assert check["n"] >= 8
    assert check["value"] < check["bound"]


def test_all_arms_are_decoded_from_the_same_places(found):
    decoded = found["decoded"]
    short = decoded.filter(length="continuation")
    long = decoded.filter(length="thought")
    assert short.filter(ablation="none").height == 3
    assert long.filter(ablation="none").height == 2
    claimed = found["versions"].filter("claimed")["ablation"].to_list()
    for texts in (short, long):
        named = texts.filter(null="named")
        assert set(named["ablation"]) == {"none", *claimed}
        places = named.group_by("ablation").agg(
            pl.struct("trace", "event").sort().alias("places")
        )
        assert places["places"].n_unique() == 1
    assert set(short["null"]) == {"named", "random", "within"}
    assert set(long["null"]) == {"named"}
    assert short["tokens"].max() <= 6
    assert long["tokens"].max() <= 9
    assert short["correct"].null_count() == short.height
    assert long["correct"].null_count() == 0


def test_a_second_run_gives_the_same_tables(study, model, found):
    again = run(study, model)
    for name, table in found.items():
        if name != "runs":
            assert table.equals(again[name]), name


def test_the_summaries_are_of_all_ablations(found):
    intervals = IntervalSettings(0.95, 2)
    effects = effects_of(
        found["boundaries"], found["versions"], found["sets"], intervals
    )
    assert (
        effects.height == found["versions"].filter(pl.col("why_not").is_null()).height
    )
    named = found["sets"].filter(draw=0).select("ablation", "turn_probability")
    both = effects.join(named, on="ablation")
    assert (both["ablated"] - both["turn_probability"]).abs().max() < 1e-9
    assert decoded_rates(found["decoded"], intervals).height


def test_thoughts_from_a_file_are_read_and_not_decoded(
    tmp_path, decoder, tokenizer, model, found
):
    tables = run(write_study(tmp_path, decoder, tokenizer, from_a_file=True), model)
    assert tables["decoded"].is_empty()
    assert tables["boundaries"].equals(found["boundaries"])
    assert tables["runs"]["note"].to_list() == [FROM_A_FILE]


def test_a_study_without_arrivals_gives_empty_tables(
    tmp_path, decoder, tokenizer, model
):
    texts = dict.fromkeys(range(12), "Hmm, well.\n</think>\n\nThe answer is 19.")
    study = write_study(tmp_path, decoder, tokenizer, texts=texts)
    tables = run(study, model)
    assert tables["boundaries"].is_empty()
    assert tables["sets"].is_empty()
    assert tables["decoded"].is_empty()
    assert tables["verification"]["n"].to_list() == [0]


def test_directions_of_another_model_are_refused(study, model):
    other = replace(model, source=f"{model.source}/")
    with pytest.raises(InputError, match="directions of another model"):
        run(study, other)


def test_settings_are_the_section_and_what_generation_shares():
    config = {
        "ablation": {"seed": 1},
        "generation": {"temperature": 0.6, "top_p": 0.95, "seed": 3}
        | {"max_new_tokens": 5, "batch_size": 6, "samples": 2},
        "events": {"detector": "rules", "labels": "x"},
        "batch_memory": 0.1,
        "verification": {"share": 0.1},
    }
    found = ablation_settings.measure(config)
    assert found["generation_seed"] == 3
    assert "samples" not in found
    assert json.dumps(found)
