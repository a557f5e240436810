"""The attention experiment outside Snakemake, against a plain eager forward pass."""

from dataclasses import replace

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_turns import write_turns_study

from attention import measure as attention
from attention.measure import Settings, main, turns_to_verify
from attention.selected_turns import traces_with_turns
from attention.tables import ARRIVAL, ATTENTION, BINS
from attention.token_bins import TokenBinner
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from traces.tables import TRACES
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS

SETTINGS = Settings(batch_memory=0.01, verification=Verification(0.01, 4, 0))


@pytest.fixture(scope="module")
def study(model, tmp_path_factory):
    study = write_turns_study(tmp_path_factory.mktemp("attention"), model)
    study.locate()
    # The study's texts have one sentence each; these have many.
    path = study.files["traces_path"]
    traces = TRACES.read(path)
    texts = [("abcd. " * len(text))[: len(text)] for text in traces["text"]]
    TRACES.write(traces.with_columns(text=pl.Series(texts)), path)
    return study


def run(study, shard="1-of-1", settings=SETTINGS, turns="turns"):
    main(
        traces_path=study.folder / "traces.parquet",
        events_path=study.folder / "events.parquet",
        turns_path=study.folder / f"{turns}.parquet",
        words_path=study.folder / "words.parquet",
        attention_path=study.folder / f"{shard}.parquet",
        verification_path=study.folder / f"{shard}.verification.parquet",
        runs_path=study.folder / f"{shard}.runs.parquet",
        shard=shard,
        model=study.model,
        settings=settings,
    )
    return ATTENTION.read(study.folder / f"{shard}.parquet")


@pytest.fixture(scope="module")
def table(study):
    return run(study)


def test_every_turn_has_a_row_per_layer(study, table):
    turns = TURNS.read(study.folder / "turns.parquet")
    kinds = turns.filter(pl.col("kind").is_in(["backtrack", "control"]))
    keys = ["trace", "event"]
    assert_frame_equal(
        table.select(keys).unique().sort(keys), kinds.select(keys).sort(keys)
    )
    layers = table.group_by(keys).agg(pl.col("layer"))["layer"].to_list()
    assert all(of_turn == [0, 1, 2] for of_turn in layers)


def test_bins_are_sums_of_eager_weights(study, table):
    decoder = load_decoder(study.model)
    decoder.hf.set_attn_implementation("eager")
    events = EVENTS.read(study.folder / "events.parquet").filter(kind="arrival")
    traces = TRACES.read(study.folder / "traces.parquet").rows_by_key(
        "trace", named=True
    )
    for row in table.iter_rows(named=True):
        (trace,) = traces[row["trace"]]
        binner = TokenBinner(trace, events.filter(trace=row["trace"])["token"])
        with torch.no_grad():
            weights = decoder.hf(
                study.ids(row["trace"]), output_attentions=True, use_cache=False
            ).attentions[row["layer"]][0, :, row["position"]]
        bins = binner.spans(row["position"])
        assert row["tokens"] == [stop - start for start, stop in bins]
        for name, (start, stop) in zip(BINS, bins, strict=True):
            expected = weights[:, start:stop].sum(-1).tolist()
            if name == ARRIVAL and start == stop:
                assert row[name] is None
                assert row["arrival_is_current"] is None
            else:
                assert row[name] == pytest.approx(expected, abs=1e-5)
        current, arrival = (dict(zip(BINS, bins, strict=True))[n] for n in BINS[-2:])
        if arrival.start < arrival.stop:
            assert row["arrival_is_current"] == (current.start == arrival.start)


def test_head_logits_add_up_to_those_of_the_attention_output(study, table):
    """One position, all layers; llama attention has no bias."""
    decoder = load_decoder(study.model)
    targets = target_ids(TURN_WORDS.read(study.folder / "words.parquet"))
    row = table.row(0, named=True)
    layers = table.filter(trace=row["trace"], event=row["event"])
    writes, states = {}, {}
    for layer in range(decoder.n_layers):
        decoder.attention(layer).register_forward_hook(
            lambda _, __, output, layer=layer: writes.__setitem__(layer, output[0][0])
        )
    decoder.final_norm.register_forward_pre_hook(
        lambda _, inputs: states.__setitem__("resid", inputs[0][0])
    )
    with torch.no_grad():
        decoder.hf(study.ids(row["trace"]))
    resid = states["resid"][row["position"]]
    scale = torch.rsqrt(resid.square().mean() + decoder.norm_eps)
    final = decoder.unembed.weight @ (resid * scale * decoder.norm_gain)
    for cells in layers.iter_rows(named=True):
        write = writes[cells["layer"]][row["position"]] * scale * decoder.norm_gain
        shares = decoder.unembed.weight @ write  # of the logits of the vocabulary
        mean = shares.mean().item()
        assert sum(cells["dla_vocabulary"]) == pytest.approx(mean, abs=1e-5)
        for group in ("backtrack", "wrap_up"):
            weights = final[targets[group]].softmax(0)
            expected = (weights @ shares[targets[group]]).item() - mean
            assert sum(cells[f"dla_{group}"]) == pytest.approx(expected, abs=1e-5)


def test_shards_and_batches_change_nothing(study, table):
    parts = [run(study, f"{k}-of-3") for k in (1, 2, 3)]
    small = replace(SETTINGS, batch_memory=1e-6)
    for other in (
        pl.concat(parts).sort("trace", "event", "layer"),
        run(study, settings=small),
    ):
        assert_frame_equal(other, table, abs_tol=1e-5)


def test_the_shard_verifies_itself_and_counts_its_tokens(study, table):
    run(study)
    checks = VERIFICATION.read(study.folder / "1-of-1.verification.parquet")
    assert (checks["value"] <= checks["bound"]).all()
    assert checks["n"].to_list() == [4, table.height // 3, table.height // 3]
    assert checks["bound"][0] == 1e-5
    (cost,) = RUNS.read(study.folder / "1-of-1.runs.parquet").to_dicts()
    last = table.group_by("trace").agg(pl.col("position").max() + 1)
    assert cost["tokens"] == last["position"].sum()
    assert cost["traces"] == last.height


def test_a_wrong_row_is_detected(study, monkeypatch):
    from doubletake.model import attention_weights
    from doubletake.model.queries_and_keys import QueriesAndKeys

    weights_of = QueriesAndKeys.weights_of

    def of_another_head(*parts):
        weights, sink = weights_of(*parts)
        return weights.roll(1, dims=1), sink

    monkeypatch.setattr(attention_weights, "PROOF_BOUND", {"float32": 10.0})
    monkeypatch.setattr(QueriesAndKeys, "weights_of", of_another_head)
    run(study)
    checks = VERIFICATION.read(study.folder / "1-of-1.verification.parquet")
    assert checks["value"][0] > checks["bound"][0]


def test_no_turn_gives_empty_tables(study):
    TURNS.write(TURNS.frame([]), study.folder / "none.parquet")
    assert run(study, "7-of-9", turns="none").height == 0
    checks = VERIFICATION.read(study.folder / "7-of-9.verification.parquet")
    assert checks["value"].null_count() == checks.height == 3
    assert checks["n"].to_list() == [0, 0, 0]


def test_a_trace_that_is_too_long_is_refused_by_id(study, table, monkeypatch):
    from doubletake.model.decoder import Decoder

    last = table.group_by("trace").agg(pl.col("position").max()).sort("position")
    longest = last.row(-1)
    monkeypatch.setattr(Decoder, "max_positions", longest[1])
    shorter = run(study)
    assert set(table["trace"]) - set(shorter["trace"]) == {longest[0]}
    (cost,) = RUNS.read(study.folder / "1-of-1.runs.parquet").to_dicts()
    assert cost["note"] == f"refused, longer than {longest[1]} tokens: {longest[0]}"
    # Positions are drawn from the traces that remain: all of them at this minimum.
    positions = shorter.height // 3
    everything = replace(SETTINGS, verification=Verification(0.1, positions, 0))
    run(study, settings=everything)
    checks = VERIFICATION.read(study.folder / "1-of-1.verification.parquet")
    assert checks["n"][0] == positions


def test_positions_too_deep_for_eager_attention_count_as_unchecked(study, monkeypatch):
    monkeypatch.setattr(attention, "EAGER_TOKENS", 1)
    run(study)
    checks = VERIFICATION.read(study.folder / "1-of-1.verification.parquet")
    assert (checks["n"][0], checks["value"][0]) == (0, None)
    assert checks["n"][1] > 0


def test_the_draw_of_verified_positions_depends_on_seed_and_names_only(study):
    parts = [
        schema.read(study.folder / f"{name}.parquet")
        for schema, name in ((TRACES, "traces"), (EVENTS, "events"), (TURNS, "turns"))
    ]
    items = traces_with_turns(*parts)
    few = Verification(1e-9, 5, 1)
    assert turns_to_verify(items, few) == turns_to_verify(items[::-1], few)
    assert turns_to_verify(items, few) != turns_to_verify(items, replace(few, seed=2))
    everything = turns_to_verify(items, Verification(1.0, 10**6, 1))
    assert len(everything) == sum(len(item.turns) for item in items)
    lengths = {
        (item.trace, turn.event): turn.position + 1
        for item in items
        for turn in item.turns
    }
    work = sum(len(item.ids) for item in items)
    part = turns_to_verify(items, Verification(0.5, 1, 1))
    assert 1 < len(part) < len(everything)
    assert sum(lengths[name] for name in part) <= 0.5 * work
