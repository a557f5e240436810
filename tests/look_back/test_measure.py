"""Looking back outside Snakemake, against eager attention and hand-made sums."""

from dataclasses import replace

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_architectures import settings_of
from tiny_look_back import POSITION, THOUGHT, tables

from attribution.tables import (
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from look_back import verification_figures
from look_back.forward_pass import plain_shares, run_batch
from look_back.looks import Choice, traces_with_looks
from look_back.measure import Settings, main
from look_back.tables import LOOK_BACK, LOOK_BACK_LAYERS, LOOK_BACK_WORDS
from traces.tables import TRACES

SETTINGS = Settings(
    top_words=3,
    next_words=5,
    distance_ratio=3.0,
    batch_memory=0.1,
    verification=Verification(0.01, 2, 0),
)
NAMES = ["a/0", "a/1", "b/0", "c/0"]
TABLES = {
    "looks": LOOK_BACK,
    "words_out": LOOK_BACK_WORDS,
    "layers": LOOK_BACK_LAYERS,
    "verification": VERIFICATION,
    "runs": RUNS,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("look_back")
    thoughts = {"b/0": f"{THOUGHT} and so on", "c/0": THOUGHT.split(" Wait")[0]}
    write(folder, tables(NAMES, **thoughts))
    return folder


def write(folder, given):
    TRACES.write(given["traces"], folder / "traces.parquet")
    ATTRIBUTION_TOKENS.write(given["tokens"], folder / "tokens.parquet")
    ATTRIBUTION_WORDS.write(given["words"], folder / "words.parquet")
    ATTRIBUTION_PROMPTS.write(given["prompts"], folder / "prompts.parquet")


def run(folder, model, settings=SETTINGS):
    inputs = ("traces", "tokens", "words", "prompts")
    main(
        **{f"{name}_path": folder / f"{name}.parquet" for name in inputs},
        **{f"{name}_path": folder / f"out.{name}.parquet" for name in TABLES},
        model=model,
        settings=settings,
    )
    return {
        name: table.read(folder / f"out.{name}.parquet")
        for name, table in TABLES.items()
    }


@pytest.fixture(scope="module")
def measured(folder, model):
    return run(folder, model)


def test_shares_are_those_of_eager_attention(folder, measured, model):
    """The question's "9" and its matches "pens" and "cups", by hand."""
    decoder = load_decoder(model)
    decoder.hf.set_attn_implementation("eager")
    row = TRACES.read(folder / "traces.parquet").row(0, named=True)
    ids = torch.tensor([row["prompt_ids"] + row["completion_ids"]])
    with torch.no_grad():
        layers = decoder.hf(ids, output_attentions=True).attentions
    rows = torch.stack(layers)[:, 0, :, POSITION + 1 : POSITION + 6].mean(2)
    rest = rows[..., 1:].sum(-1)
    word = measured["words_out"].filter(trace="a/0", rank=1).row(0, named=True)
    assert (word["word"], word["token"], word["place_partners"]) == ("9", 3, 1)
    assert word["share"] == pytest.approx((rows[..., 3].sum() / rest.sum()).item())
    assert word["place_share"] == pytest.approx(
        (rows[..., 4].sum() / rest.sum()).item()
    )
    look = measured["looks"].filter(trace="a/0").row(0, named=True)
    assert look["first_token"] == pytest.approx(rows[..., 0].mean().item())
    paired = measured["words_out"].filter(pl.col("place_partners") > 0, trace="a/0")
    assert look["words"] == paired.height
    assert look["important"] == pytest.approx(paired["share"].mean())
    assert look["matched"] == pytest.approx(paired["place_share"].mean())
    # Five tokens see 20 to 24 tokens beside the first, and one of them is the word.
    even = sum(1 / seen for seen in range(POSITION + 1, POSITION + 6)) / 5
    assert look["important_even"] == pytest.approx(even)
    layer = measured["layers"].filter(trace="a/0", layer=1).row(0, named=True)
    own = rows[1][:, paired["token"].to_list()].mean(1)
    assert layer["important"] == pytest.approx(own.tolist(), abs=1e-6)
    assert layer["rest"] == pytest.approx(rest[1].tolist(), abs=1e-6)


def test_rows_do_not_depend_on_batches(folder, measured, model):
    alone = run(folder, model, replace(SETTINGS, batch_memory=1e-6))
    for name in ("looks", "words_out", "layers"):
        assert_frame_equal(alone[name], measured[name], rel_tol=1e-4, abs_tol=1e-6)


def test_a_thought_that_ends_at_the_turn_has_a_row_without_shares(measured):
    row = measured["looks"].filter(trace="c/0").row(0, named=True)
    assert (row["next_words"], row["next_tokens"]) == (0, 0)
    assert row["important"] is row["matched"] is row["first_token"] is None
    assert measured["layers"].filter(trace="c/0").is_empty()
    words = measured["words_out"].filter(trace="c/0")
    assert words["share"].null_count() == words.height == 3


def test_the_verification_finds_a_wrong_sum(folder, model, measured, monkeypatch):
    checks = measured["verification"]
    assert checks["n"].to_list() == [2, 2]
    assert (checks["value"] <= checks["bound"]).all()

    def shifted(decoder, ids, look):
        words, rest = plain_shares(decoder, ids, look)
        return words.roll(1, 2), rest + 0.1

    monkeypatch.setattr(verification_figures, "plain_shares", shifted)
    wrong = run(folder, model)["verification"]
    assert (wrong["value"] > wrong["bound"]).all()


def test_a_study_without_positions_gives_empty_tables(tmp_path, model):
    write(tmp_path, {name: table.clear() for name, table in tables(["a/0"]).items()})
    made = run(tmp_path, model)
    assert made["looks"].is_empty()
    assert made["layers"].is_empty()
    assert made["verification"]["value"].null_count() == 2


def test_a_position_without_ranked_words_has_no_share(tmp_path, model):
    given = tables(["a/0"])
    write(tmp_path, given | {"words": given["words"].clear()})
    row = run(tmp_path, model)["looks"].row(0, named=True)
    assert (row["words"], row["important"]) == (0, None)
    assert row["first_token"] > 0


@pytest.mark.parametrize("name", ["gpt_oss", "mistral", "gemma3"])
def test_sums_hold_with_windows_and_sinks(architectures, name):
    """Tokens that a window hides get nothing, also in the even shares."""
    decoder = load_decoder(settings_of(architectures[name]))
    given = tables(["a/0", "b/0"], **{"b/0": f"{THOUGHT} and so on"})
    items = traces_with_looks(**given, choice=Choice(4, 9, 3.0), longest=128)
    results = run_batch(decoder, items)
    for item, (shares,) in zip(items, results, strict=True):
        (look,) = item.looks
        words, rest = plain_shares(decoder, item.ids, look)
        assert (shares.words - words).abs().max() < 1e-5
        assert (shares.rest - rest).abs().max() < 1e-5
        hidden = shares.even == 0
        assert hidden.any()
        assert (shares.words.sum(1)[hidden] == 0).all()
