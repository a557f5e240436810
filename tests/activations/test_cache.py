"""The pass over the traces against plain, unbatched forward passes."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
import torch
from tiny_activations import LENGTHS, SHARE, Study, study_of
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma3TextConfig

from activations import cache as cache_activations
from activations.calibration_split import calibration_problems
from activations.forward_pass import check_finite
from activations.trace_inputs import inputs_of
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from traces.tables import TRACES

torch.set_num_threads(1)
REPLAY = "replayed log-probs against generated ones"


@pytest.fixture
def study(tmp_path, tiny_model) -> Study:
    return study_of(tmp_path, tiny_model)


@pytest.fixture(params=["llama", "gemma2", "gemma3_text"])
def any_study(request, tmp_path, tiny_model) -> Study:
    """Also architectures with sandwich norms, soft-capping and sliding windows."""
    if request.param == "llama":
        return study_of(tmp_path, tiny_model)
    kind = {"gemma2": Gemma2Config, "gemma3_text": Gemma3TextConfig}[request.param]
    config = kind(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=256,
        initializer_range=0.2,
        sliding_window=16,
        final_logit_softcapping=5.0,
    )
    torch.manual_seed(0)
    source = tmp_path / "model"
    hf = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    hf.save_pretrained(source)
    return study_of(tmp_path, source)


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return torch.allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_cache_equals_plain_forward_passes(any_study):
    cached = any_study.run("cache", batch_memory=0.0004).cache
    assert cached.index.height == any_study.events.height
    for trace, event, token in cached.index.select("trace", "event", "token").rows():
        (kind,) = any_study.events.filter(trace=trace, event=event)["kind"]
        (first,) = any_study.events.filter(trace=trace, event=event)["token"]
        assert token == (first if kind == "arrival" else first - 1)
        states = any_study.states(trace)
        one = any_study.events.filter(trace=trace, event=event)
        for name, wanted in states.items():
            assert close(cached.read(name, one)[0], wanted[:, token])
        square = states["resid"][-1, token].square().mean()
        eps = any_study.hf.config.rms_norm_eps
        assert close(cached.read("final_scale", one)[0], (square + eps).rsqrt())


def test_components_add_up(study):
    cache = study.run("cache").cache
    resid, attn_out, mlp_out = (
        cache.read(name, study.events) for name in ("resid", "attn_out", "mlp_out")
    )
    assert close(resid[:, :-1] + attn_out + mlp_out, resid[:, 1:])


@pytest.mark.parametrize("part", ["resid", "attn_out", "mlp_out"])
def test_means_are_over_the_thoughts_of_the_calibration_problems(study, part):
    chosen = calibration_problems(study.traces["problem"], SHARE)
    assert len(chosen) == 3
    states = []
    for row in study.traces.iter_rows(named=True):
        if row["problem"] in chosen:
            start = len(row["prompt_ids"])
            stop = row["thought_end"] or start + len(row["completion_ids"])
            states.append(study.states(row["trace"])[part][:, start:stop].double())
    wanted = torch.cat(states, dim=1).mean(1)
    assert close(study.run("cache").cache.means()[part], wanted)


def test_replayed_logprobs_are_the_generated_ones(any_study):
    figures = any_study.run("cache", batch_memory=0.0004).figures()
    assert figures[REPLAY, "tokens"] == sum(completion for _, completion in LENGTHS)
    assert figures[REPLAY, "max |difference|"] < 1e-5
    assert figures["self-proof: residual", "max relative error"] < 1e-6


def test_altered_logprobs_are_seen(study):
    rows = study.traces.to_dicts()
    rows[1]["logprobs"][7] += 0.5
    study.traces = TRACES.frame(rows)
    figures = study.run("cache").figures()
    total = sum(completion for _, completion in LENGTHS)
    assert figures[REPLAY, "max |difference|"] == pytest.approx(0.5, abs=1e-5)
    assert figures[REPLAY, "mean |difference|"] == pytest.approx(0.5 / total, abs=1e-5)
    assert figures[REPLAY, "|difference| > 0.1 nats"] == pytest.approx(1 / total)


@pytest.mark.parametrize(
    ("shards", "batch_memory"), [(1, 1e-9), (3, 0.001), (9, 0.0002)]
)
def test_shards_and_batches_change_nothing(study, shards, batch_memory):
    """Nine shards are more than there are traces."""
    one, other = study.run("one"), study.run("other", shards, batch_memory)
    for name in ("resid", "attn_out", "mlp_out", "final_scale"):
        found = other.cache.read(name, study.events)
        assert close(found, one.cache.read(name, study.events))
    for name, mean in one.cache.means().items():
        assert close(other.cache.means()[name], mean)
    figures = other.figures()
    assert figures == pytest.approx(one.figures(), abs=1e-5)
    keys = ["trace", "event", "token"]
    assert other.cache.index.select(keys).equals(one.cache.index.select(keys))
    assert other.runs().select(pl.col("traces", "tokens").sum()).rows() == [
        (len(LENGTHS), sum(map(sum, LENGTHS)))
    ]


def test_imported_traces_are_not_replayed(study):
    study.traces = study.traces.with_columns(
        logprobs=pl.lit(None, dtype=pl.List(pl.Float32))
    )
    cached = study.run("cache")
    figures = {key: v for key, v in cached.figures().items() if key[0] == REPLAY}
    assert figures == {(REPLAY, "tokens"): None}
    assert cached.cache.read("resid", study.events).shape == (18, 4, 32)


def test_no_events_and_no_traces(study):
    study.events = study.events.head(0)
    without_events = study.run("no-events").cache
    assert without_events.index.height == 0
    assert without_events.mean_resid().shape == (4, 32)
    study.traces = study.traces.head(0)
    cached = study.run("no-traces", shards=2)
    assert cached.cache.read("resid", study.events).shape == (0, 4, 32)
    assert cached.runs()["tokens"].to_list() == [0, 0]


def test_batch_is_halved_when_memory_is_short(study, monkeypatch, caplog):
    whole = study.run("whole").cache
    forward = cache_activations.batch_activations

    def forgetful(decoder, batch):
        activations = forward(decoder, batch)
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return activations

    monkeypatch.setattr(cache_activations, "batch_activations", forgetful)
    halved = study.run("halved").cache
    assert "batch halved" in caplog.text
    assert close(halved.read("resid", study.events), whole.read("resid", study.events))
    assert close(halved.mean_resid(), whole.mean_resid())


def test_trace_that_never_fits_is_refused_by_name(study, monkeypatch):
    def greedy(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(cache_activations, "batch_activations", greedy)
    with pytest.raises(InputError, match=r"trace \d/0: out of memory"):
        study.run("cache")


def test_other_errors_do_not_halve_the_batch(study, monkeypatch):
    def wrong(*_):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(cache_activations, "batch_activations", wrong)
    with pytest.raises(RuntimeError, match="shapes"):
        study.run("cache")


def changed(study: Study, trace: int, **changes: Any) -> Study:
    rows = study.traces.to_dicts()
    rows[trace] |= changes
    return replace(study, traces=TRACES.frame(rows))


def test_trace_longer_than_the_model_is_left_out_by_name(study):
    long = changed(study, 2, completion_ids=[7] * 1020, logprobs=None)
    cached = long.run("cache")
    (note,) = cached.runs()["note"]
    assert note == "refused, longer than 1024 tokens: 2/0"
    kept = set(cached.cache.index["trace"])
    assert kept == set(study.run("other").cache.index["trace"]) - {"2/0"}


def test_unknown_token_is_refused_by_name(study):
    strange = changed(study, 3, completion_ids=[5000] * 61)
    with pytest.raises(InputError, match="trace 3/0: token 5000"):
        strange.run("cache")


def test_empty_prompt_is_refused_by_name(study):
    with pytest.raises(InputError, match="trace 4/0 has an empty prompt"):
        changed(study, 4, prompt_ids=[]).run("cache")


def test_states_that_are_not_finite_are_refused_by_name(study, tmp_path):
    """An embedding row that the self-proof does not touch."""
    source = tmp_path / "model"
    weights = study.hf.get_input_embeddings().weight
    weights.data[88] = float("inf")
    study.hf.save_pretrained(source)
    study.model = replace(study.model, source=str(source))
    study = changed(study, 5, completion_ids=[88] * 44)
    with pytest.raises(InputError, match=r"model: weight model\.embed_tokens\.weight"):
        study.run("cache")


def test_states_that_overflow_are_refused_by_trace(study):
    decoder = load_decoder(study.model)
    row = study.traces.row(3, named=True)
    (item,) = inputs_of(study.traces[3:4], study.run("x").cache.index, set())
    states = torch.zeros(1, len(item.ids) + 2, decoder.d_model)
    states[0, -1] = torch.nan  # padding
    check_finite(decoder, states, [item])
    states[0, 2] = torch.inf
    with pytest.raises(InputError, match=f"trace {row['trace']}: the model's states"):
        check_finite(decoder, states, [item])


def test_index_points_to_the_shards(study):
    index = study.run("cache", shards=2).cache.index
    assert dict(index.group_by("shard").len().rows()) == {"1-of-2": 9, "2-of-2": 9}
    keys = index.select("trace", "event").rows()
    assert keys == sorted(keys)
