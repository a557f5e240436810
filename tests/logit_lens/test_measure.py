"""Lens and attribution against the model's own norm, unembedding and hidden states."""

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_turns import write_turns_study

from doubletake.stats.intervals import Resampling
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from logit_lens import measure as logit_lens
from logit_lens import plot as plot_logit_lens
from logit_lens import summarise as summarise_logit_lens
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_FIRST,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
    VOCABULARY,
)
from turns.reading import GROUPS, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS

RESAMPLING = Resampling(least_problems=3)
TOP = 3


@pytest.fixture(scope="module")
def study(model, tmp_path_factory):
    study = write_turns_study(tmp_path_factory.mktemp("lens"), model)
    study.locate()
    run(study)
    return study


def run(study, name="lens", batch_memory=0.01):
    files = {k: v for k, v in study.files.items() if k != "traces_path"}
    logit_lens.main(
        **files,
        turns_path=study.folder / "turns.parquet",
        words_path=study.folder / "words.parquet",
        lens_path=study.folder / f"{name}.parquet",
        vocabulary_path=study.folder / f"{name}.vocabulary.parquet",
        verification_path=study.folder / f"{name}.verification.parquet",
        runs_path=study.folder / f"{name}.runs.parquet",
        model=study.model,
        settings=logit_lens.Settings(TOP, batch_memory),
    )
    return LOGIT_LENS.read(study.folder / f"{name}.parquet")


@pytest.fixture(scope="module")
def lens(study):
    return LOGIT_LENS.read(study.folder / "lens.parquet")


@pytest.fixture(scope="module")
def targets(study):
    return target_ids(TURN_WORDS.read(study.folder / "words.parquet"))


def states_at(study, row) -> list[torch.Tensor]:
    with torch.no_grad():
        output = study.decoder.hf(study.ids(row["trace"]), output_hidden_states=True)
    return [states[0, row["position"]] for states in output.hidden_states]


def test_the_lens_is_norm_and_head_on_hidden_states(study, lens, targets):
    turns = TURNS.read(study.folder / "turns.parquet")
    decoder = study.decoder
    white_space = white_space_ids(load_tokenizer(study.model))
    for row in turns.head(6).iter_rows(named=True):
        key = {"trace": row["trace"], "event": row["event"], "component": "resid"}
        rows = lens.filter(**key).sort("layer")
        states = states_at(study, row)
        assert rows["layer"].to_list() == list(range(len(states)))
        for layer, state in enumerate(states):
            is_normed = layer == len(states) - 1
            normed = state if is_normed else decoder.final_norm(state)
            logits = decoder.hf.lm_head(normed)
            found = rows.row(layer, named=True)
            for group in GROUPS:
                expected = float(logits[targets[group]].mean())
                assert found[group] == pytest.approx(expected, abs=1e-4)
            expected = float(logits.log_softmax(-1)[targets["backtrack"]].logsumexp(-1))
            assert found["backtrack_logprob"] == pytest.approx(expected, abs=1e-4)
            logits[white_space] = -torch.inf
            assert found["top_ids"] == logits.topk(TOP).indices.tolist()


def test_parts_add_up_to_the_logits(study, lens):
    keys = ["trace", "event"]
    parts = lens.filter(pl.col("component") != "resid")
    total = parts.group_by(keys).agg(pl.col(*GROUPS).sum()).sort(keys)
    last = lens.filter(component="resid", layer=study.decoder.n_layers).sort(keys)
    for group in GROUPS:
        np.testing.assert_allclose(total[group], last[group], rtol=1e-4, atol=1e-4)
    check = VERIFICATION.read(study.folder / "lens.verification.parquet")
    row = check.row(0, named=True)
    assert row["n"] == len(last)
    assert row["value"] < 1e-5 < row["bound"]
    assert RUNS.read(study.folder / "lens.runs.parquet")["traces"][0] == 6


def test_the_check_notices_a_part_that_is_missing():
    sum_check = logit_lens.SumCheck()
    logits = torch.tensor([[2.0, -4.0]])
    sum_check.add(logits + torch.tensor([[0.0, 0.2]]), logits)
    assert sum_check.error.value == pytest.approx(0.05)


def test_the_batch_size_changes_nothing(study, lens):
    one_by_one = run(study, "small-batches", batch_memory=1e-9)
    order = ["trace", "event", "component", "layer"]
    assert_frame_equal(one_by_one.sort(order), lens.sort(order), abs_tol=1e-5)


def test_summaries_are_what_counting_gives(study, lens, targets):
    summary = summarise_logit_lens.summarise(lens, RESAMPLING)
    LOGIT_LENS_SUMMARY.check(summary)
    for row in summary.filter(layer=1).iter_rows(named=True):
        part = lens.filter(kind=row["kind"], component=row["component"], layer=1)
        assert row["positions"] == part.height
        assert row["mean"] == pytest.approx(part[row["group"]].mean())
        assert row["low"] <= row["mean"] + 1e-9
        assert row["high"] >= row["mean"] - 1e-9
    some = sorted({ids[0] for ids in lens["top_ids"].drop_nulls()})[:40]
    first = summarise_logit_lens.first_boundaries(lens, some, RESAMPLING)
    LOGIT_LENS_FIRST.check(first)
    resid = lens.filter(component="resid", kind="backtrack")
    counts = dict.fromkeys(range(study.decoder.n_layers + 1), 0)
    for _, position in resid.group_by("trace", "event"):
        hits = [
            row["layer"]
            for row in position.sort("layer").iter_rows(named=True)
            if row["top_ids"][0] in some
        ]
        for layer in hits[:1]:
            counts[layer] += 1
    assert sum(counts.values()) > 0
    backtracks = first.filter(kind="backtrack").sort("boundary")
    assert backtracks["first_leading"].to_list() == list(counts.values())


def test_the_vocabulary_has_the_text_of_every_token_that_the_table_names(study, lens):
    vocabulary = VOCABULARY.read(study.folder / "lens.vocabulary.parquet")
    named = sorted({k for ids in lens["top_ids"].drop_nulls() for k in ids})
    assert vocabulary["token_id"].to_list() == named
    tokenizer = load_tokenizer(study.model)
    assert vocabulary["text"].to_list() == [tokenizer.text_of(k) for k in named]


def test_words_are_counted_by_boundary(lens):
    ids = lens["top_ids"].explode().drop_nulls().unique()
    rows = [{"token_id": token_id, "text": f"<{token_id}>"} for token_id in ids]
    table = summarise_logit_lens.word_counts(lens, VOCABULARY.frame(rows))
    LOGIT_LENS_WORDS.check(table)
    part = table.filter(kind="control", boundary=2)
    resid = lens.filter(kind="control", layer=2, component="resid")
    for row in part.iter_rows(named=True):
        assert row["text"] == f"<{row['token_id']}>"
        assert row["positions"] == resid.height
        tops = resid["top_ids"].to_list()
        assert row["leading"] == sum(ids[0] == row["token_id"] for ids in tops)
        assert row["among_top"] == sum(row["token_id"] in ids for ids in tops)
    assert part["leading"].sum() <= resid.height


def test_figures_are_drawn_and_equal_data_give_equal_bytes(study, lens, tmp_path):
    first = summarise_logit_lens.first_boundaries(lens, [1, 2], RESAMPLING)
    summary = summarise_logit_lens.summarise(lens, RESAMPLING)
    LOGIT_LENS_FIRST.write(first, tmp_path / "first.parquet")
    LOGIT_LENS_SUMMARY.write(summary, tmp_path / "summary.parquet")
    for turn in ("a", "b"):
        plot_logit_lens.main(
            turns_path=study.folder / "turns.parquet",
            summary_path=tmp_path / "summary.parquet",
            first_path=tmp_path / "first.parquet",
            layers_figure=tmp_path / f"layers-{turn}.svg",
            first_figure=tmp_path / f"first-{turn}.svg",
            words_figure=tmp_path / f"words-{turn}.svg",
            confidence=0.95,
        )
    for name in ("layers", "first", "words"):
        one, other = (tmp_path / f"{name}-{turn}.svg" for turn in ("a", "b"))
        assert one.read_bytes() == other.read_bytes()


def test_means_of_too_few_problems_have_no_interval_and_are_not_drawn(lens):
    few = Resampling(least_problems=99)
    first = summarise_logit_lens.first_boundaries(lens, [1, 2], few)
    summary = summarise_logit_lens.summarise(lens, few)
    for table, figure in (
        (summary, plot_logit_lens.draw_layers(summary, 0.95)),
        (first, plot_logit_lens.draw_first(first, 0.95)),
    ):
        assert table["low"].is_null().all()
        assert table["high"].is_null().all()
        (text,) = (text.get_text() for axes in figure.axes for text in axes.texts)
        assert f"Not checked, so not drawn: {table.height} points" in text


def test_without_positions_there_are_empty_figures():
    summary, first = LOGIT_LENS_SUMMARY.frame([]), LOGIT_LENS_FIRST.frame([])
    for figure in (
        plot_logit_lens.draw_layers(summary, 0.95),
        plot_logit_lens.draw_first(first, 0.95),
        plot_logit_lens.draw_words(TURNS.frame([])),
    ):
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        assert any("Nothing to draw" in text for text in texts)
