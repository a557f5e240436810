"""Lens and attribution against the model's own norm, unembedding and hidden states."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_lens import DRAWS, SETTINGS, TOP, run

from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from logit_lens import measure as logit_lens
from logit_lens.cached_states import CachedStates
from logit_lens.random_groups import RandomGroups
from logit_lens.sum_check import SumCheck
from logit_lens.tables import LOGIT_LENS_RANDOM, VOCABULARY
from turns.reading import GROUPS, white_space_ids
from turns.tables import TURNS


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
        final = decoder.hf.lm_head(states[-1])
        for layer, state in enumerate(states):
            is_normed = layer == len(states) - 1
            normed = state if is_normed else decoder.final_norm(state)
            logits = decoder.hf.lm_head(normed)
            found = rows.row(layer, named=True)
            mean = float(logits.mean())
            assert found["vocabulary"] == pytest.approx(mean, abs=1e-4)
            equal = float(logits[targets["backtrack"]].mean()) - mean
            assert found["backtrack_equal"] == pytest.approx(equal, abs=1e-4)
            for group in GROUPS:
                weights = final[targets[group]].softmax(0)
                expected = float(weights @ logits[targets[group]] - logits.mean())
                assert found[group] == pytest.approx(expected, abs=1e-4)
            expected = float(logits.log_softmax(-1)[targets["backtrack"]].logsumexp(-1))
            assert found["backtrack_logprob"] == pytest.approx(expected, abs=1e-4)
            logits[white_space] = -torch.inf
            assert found["top_ids"] == logits.topk(TOP).indices.tolist()


def test_parts_add_up_to_the_logits(study, lens):
    keys = ["trace", "event"]
    parts = lens.filter(pl.col("component") != "resid")
    columns = (*GROUPS, "vocabulary", "backtrack_equal")
    total = parts.group_by(keys).agg(pl.col(*columns).sum()).sort(keys)
    last = lens.filter(component="resid", layer=study.decoder.n_layers).sort(keys)
    for group in columns:
        np.testing.assert_allclose(total[group], last[group], rtol=1e-4, atol=1e-4)
    check = VERIFICATION.read(study.folder / "lens.verification.parquet")
    row = check.row(0, named=True)
    assert row["n"] == len(last)
    assert row["value"] < 1e-5 < row["bound"]
    assert RUNS.read(study.folder / "lens.runs.parquet")["traces"][0] == 6


def test_the_check_is_relative_to_the_largest_logit():
    sum_check = SumCheck()
    logits = torch.tensor([[2.0, -4.0]])
    sum_check.add(logits + torch.tensor([[0.0, 0.2]]), logits)
    assert sum_check.error.value == pytest.approx(0.05)


def without_a_layer(states, name):
    values = getattr(states, name).clone()
    values[:, 1] = 0
    return replace(states, **{name: values})


@pytest.mark.parametrize("name", ["attn_out", "mlp_out"])
def test_the_check_notices_a_part_that_is_missing(study, monkeypatch, name):
    read = CachedStates.read
    monkeypatch.setattr(
        CachedStates, "read", lambda self, *a: read(without_a_layer(self, name), *a)
    )
    run(study, "missing")
    row = VERIFICATION.read(study.folder / "missing.verification.parquet").row(
        0, named=True
    )
    assert row["value"] > 10 * row["bound"]


def test_the_check_notices_logits_that_are_not_centred(study, monkeypatch):
    directions = logit_lens.logit_directions

    def raw(*args):
        found = directions(*args).clone()
        found[:, :-1] += found[:, -1:]
        return found

    monkeypatch.setattr(logit_lens, "logit_directions", raw)
    run(study, "raw")
    row = VERIFICATION.read(study.folder / "raw.verification.parquet").row(
        0, named=True
    )
    assert row["value"] > 10 * row["bound"]


def test_a_common_part_of_all_logits_changes_no_centred_value(study, lens, targets):
    """Every row of the unembedding moves by the same vector: probabilities stay."""
    decoder, (row, *_) = (
        study.decoder,
        TURNS.read(study.folder / "turns.parquet").rows(named=True),
    )
    final = states_at(study, row)[-1]
    weight = decoder.unembed.weight
    moved = weight + torch.randn(weight.shape[1], generator=torch.Generator())
    ids = targets["backtrack"]
    values = []
    for rows in (weight, moved):
        logits = rows @ final
        weights = logits[ids].softmax(0)
        values.append(
            [float(weights @ logits[ids] - logits.mean()), float(weights @ logits[ids])]
        )
    assert values[0][0] == pytest.approx(values[1][0], abs=1e-4)
    assert abs(values[0][1] - values[1][1]) > 0.1
    key = {"trace": row["trace"], "event": row["event"], "component": "resid"}
    last = lens.filter(**key).sort("layer").row(-1, named=True)
    assert last["backtrack"] == pytest.approx(values[1][0], abs=1e-4)


def test_random_groups_are_read_like_the_backtrack_words(
    study, lens, targets, random_groups
):
    """The group of the backtrack words itself, put in the place of a drawn group."""
    words = targets["backtrack"]
    groups = RandomGroups(words, len(study.decoder.unembed.weight), DRAWS, 0).groups
    assert {len(ids) for ids in groups} == {len(words)}
    assert not {k for ids in groups for k in ids.tolist()} & set(words.tolist())
    assert len({tuple(ids.tolist()) for ids in groups}) == DRAWS
    keys = ["kind", "component", "layer"]
    assert random_groups.height == DRAWS * lens.select(keys).n_unique()
    as_drawn = LOGIT_LENS_RANDOM.read(run_with_words_as_groups(study, words))
    means = lens.group_by(keys).agg(pl.col("backtrack").mean()).sort(keys)
    found = as_drawn.filter(draw=0).sort(keys)
    np.testing.assert_allclose(found["mean"], means["backtrack"], atol=1e-5)


def run_with_words_as_groups(study, words):
    with pytest.MonkeyPatch.context() as patch:
        begin = RandomGroups.__init__

        def with_words(self, *args):
            begin(self, *args)
            self.groups = [words]

        patch.setattr(RandomGroups, "__init__", with_words)
        run(study, "own-words")
    return study.folder / "own-words.random.parquet"


def test_the_batch_size_changes_nothing(study, lens, random_groups):
    one_by_one = run(study, "small-batches", replace(SETTINGS, batch_memory=1e-9))
    order = ["trace", "event", "component", "layer"]
    assert_frame_equal(one_by_one.sort(order), lens.sort(order), abs_tol=1e-5)
    other = LOGIT_LENS_RANDOM.read(study.folder / "small-batches.random.parquet")
    assert_frame_equal(other, random_groups, abs_tol=1e-5)


def test_the_vocabulary_has_the_text_of_every_token_that_the_table_names(study, lens):
    vocabulary = VOCABULARY.read(study.folder / "lens.vocabulary.parquet")
    named = sorted({k for ids in lens["top_ids"].drop_nulls() for k in ids})
    assert vocabulary["token_id"].to_list() == named
    tokenizer = load_tokenizer(study.model)
    assert vocabulary["text"].to_list() == [tokenizer.text_of(k) for k in named]
