"""The pass over the traces against plain, unbatched forward passes."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma3TextConfig

from activations import cache as cache_activations
from activations.cache import Settings, main
from activations.declaration import DECLARATION
from activations.items import items_of
from activations.passes import check_finite
from activations.reading import ActivationCache, Origin
from activations.splits import calibration_problems
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import shard_names
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from shards.merge import main as merge_tables
from traces.tables import TRACES

torch.set_num_threads(1)

SHARE = 0.4
EVERYTHING = Verification(share=1.0, minimum=10**6, seed=0)
LENGTHS = [(9, 30), (5, 61), (7, 12), (5, 61), (6, 3), (11, 44), (4, 90)]


def trace_rows(model: Any) -> list[dict]:
    """Random sequences with the log-probs that the model gives them."""
    generator = torch.Generator().manual_seed(5)
    rows = []
    for number, (prompt, completion) in enumerate(LENGTHS):
        ids = torch.randint(6, 90, (prompt + completion,), generator=generator)
        with torch.no_grad():
            logits = model(ids[None]).logits[0, prompt - 1 : -1]
        chosen = logits.log_softmax(-1).gather(1, ids[prompt:, None])[:, 0]
        rows.append(
            {
                "trace": f"{number}/0",
                "problem": str(number),
                "sample": 0,
                "prompt_ids": ids[:prompt].tolist(),
                "completion_ids": ids[prompt:].tolist(),
                "logprobs": chosen.tolist(),
                "text": "x" * completion,
                "offsets": list(range(completion)),
                "thought_end": None if number % 3 == 2 else prompt + completion - 2,
                "thought_start": 0,
                "thought_stop": completion,
                "answer_start": None,
                "finish": "stop",
                "answer": None,
                "correct": False,
            }
        )
    return rows


def event_rows() -> list[dict]:
    rest = dict.fromkeys(("value", "is_gold", "is_final", "cue", "cue_kind"))
    places = {"ordinal": 1, "start": 0, "end": 1}
    rows = []
    for number, (prompt, completion) in enumerate(LENGTHS):
        if number == 4:  # a trace without events
            continue
        tokens = [prompt, prompt + completion // 3, prompt + completion - 1]
        kinds = ["control", "arrival", "backtrack"]
        for event, (token, kind) in enumerate(zip(tokens, kinds, strict=True)):
            row = {"trace": f"{number}/0", "event": event, "kind": kind, "token": token}
            rows.append(row | places | rest)
    return rows


@dataclass
class Study:
    """Tables and model of a study in a folder."""

    folder: Path
    model: ModelSettings
    hf: Any
    traces: pl.DataFrame
    events: pl.DataFrame

    def write(self) -> None:
        TRACES.write(self.traces, self.folder / "traces.parquet")
        EVENTS.write(self.events, self.folder / "events.parquet")

    def run(self, name: str, shards: int = 1, batch_memory: float = 0.001) -> "Cached":
        self.write()
        folder = self.folder / name
        folder.mkdir()
        for shard in shard_names(shards):
            main(
                traces_path=self.folder / "traces.parquet",
                events_path=self.folder / "events.parquet",
                cache_path=folder / f"{shard}.safetensors",
                index_path=folder / f"{shard}.index.parquet",
                verification_path=folder / f"{shard}.verification.parquet",
                runs_path=folder / f"{shard}.runs.parquet",
                shard=shard,
                model=self.model,
                settings=Settings(batch_memory, SHARE, EVERYTHING),
            )
        keys = [table.key for table in DECLARATION.shards]
        merge_tables(
            stage=DECLARATION,
            part_paths={
                key: [folder / f"{k}.{key}.parquet" for k in shard_names(shards)]
                for key in keys
            },
            table_paths={key: folder / f"{key}.parquet" for key in keys},
        )
        paths = [folder / f"{shard}.safetensors" for shard in shard_names(shards)]
        origin = Origin.of(self.model, self.folder / "events.parquet")
        cache = ActivationCache(folder / "index.parquet", paths, origin)
        return Cached(cache, folder)

    def states(self, trace: str) -> dict[str, torch.Tensor]:
        """What one plain forward pass over the trace shows, without the adapter."""
        (row,) = self.traces.filter(trace=trace).to_dicts()
        ids = torch.tensor([row["prompt_ids"] + row["completion_ids"]])
        seen: dict[str, list[torch.Tensor]] = {"attn": [], "mlp": [], "last": []}
        handles = []
        for layer in self.hf.model.layers:
            sandwich = hasattr(layer, "post_feedforward_layernorm")
            attention = layer.post_attention_layernorm if sandwich else layer.self_attn
            mlp = layer.post_feedforward_layernorm if sandwich else layer.mlp
            for name, part in (("attn", attention), ("mlp", mlp)):
                handles.append(part.register_forward_hook(collector(seen[name])))
        last = self.hf.model.layers[-1].register_forward_hook(collector(seen["last"]))
        with torch.no_grad():
            output = self.hf(ids, output_hidden_states=True)
        for handle in [*handles, last]:
            handle.remove()
        return {
            "resid": torch.stack([*output.hidden_states[:-1], seen["last"][0]])[:, 0],
            "attn_out": torch.stack(seen["attn"])[:, 0],
            "mlp_out": torch.stack(seen["mlp"])[:, 0],
        }


def collector(into: list[torch.Tensor]) -> Any:
    def hook(_: Any, __: Any, output: Any) -> None:
        into.append(output[0] if isinstance(output, tuple) else output)

    return hook


@dataclass
class Cached:
    """What a run left behind."""

    cache: ActivationCache
    folder: Path

    def figures(self) -> dict[tuple[str, str], float]:
        table = VERIFICATION.read(self.folder / "verification.parquet")
        keys = table.select("check", "statistic").rows()
        return dict(zip(keys, table["value"], strict=True))

    def runs(self) -> pl.DataFrame:
        return RUNS.read(self.folder / "runs.parquet")


def study_of(folder: Path, source: Path) -> Study:
    model = ModelSettings(str(source), None, "float32", "cpu", "</think>", {})
    hf = AutoModelForCausalLM.from_pretrained(source, attn_implementation="eager")
    traces = TRACES.frame(trace_rows(hf))
    return Study(folder, model, hf, traces, EVENTS.frame(event_rows()))


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
        (place,) = any_study.events.filter(trace=trace, event=event)["token"]
        assert token == (place if kind == "arrival" else place - 1)
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
def test_means_are_those_of_the_thoughts_of_the_calibration_problems(study, part):
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
    replay = "replayed log-probs against generated ones"
    assert figures[replay, "tokens"] == sum(completion for _, completion in LENGTHS)
    assert figures[replay, "max |difference|"] < 1e-5
    assert figures["self-proof: residual", "max relative error"] < 1e-6


def test_altered_logprobs_are_seen(study):
    rows = study.traces.to_dicts()
    rows[1]["logprobs"][7] += 0.5
    study.traces = TRACES.frame(rows)
    figures = study.run("cache").figures()
    replay = "replayed log-probs against generated ones"
    total = sum(completion for _, completion in LENGTHS)
    assert figures[replay, "max |difference|"] == pytest.approx(0.5, abs=1e-5)
    assert figures[replay, "mean |difference|"] == pytest.approx(0.5 / total, abs=1e-5)
    assert figures[replay, "|difference| > 0.1 nats"] == pytest.approx(1 / total)


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
    places = ["trace", "event", "token"]
    assert other.cache.index.select(places).equals(one.cache.index.select(places))
    assert other.runs().select(pl.col("traces", "tokens").sum()).rows() == [
        (len(LENGTHS), sum(map(sum, LENGTHS)))
    ]


def test_imported_traces_are_counted_only(study):
    study.traces = study.traces.with_columns(
        logprobs=pl.lit(None, dtype=pl.List(pl.Float32))
    )
    cached = study.run("cache")
    replay = "replayed log-probs against generated ones"
    figures = {key: v for key, v in cached.figures().items() if key[0] == replay}
    assert figures == {(replay, "tokens"): None}
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
    forward = cache_activations.pass_through

    def forgetful(decoder, batch):
        kept = forward(decoder, batch)
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return kept

    monkeypatch.setattr(cache_activations, "pass_through", forgetful)
    halved = study.run("halved").cache
    assert "batch halved" in caplog.text
    assert close(halved.read("resid", study.events), whole.read("resid", study.events))
    assert close(halved.mean_resid(), whole.mean_resid())


def test_trace_that_never_fits_is_refused_by_name(study, monkeypatch):
    def greedy(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(cache_activations, "pass_through", greedy)
    with pytest.raises(InputError, match=r"trace \d/0: out of memory"):
        study.run("cache")


def test_other_errors_are_not_taken_for_memory(study, monkeypatch):
    def wrong(*_):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(cache_activations, "pass_through", wrong)
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
    (item,) = items_of(study.traces[3:4], study.run("x").cache.index, set())
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
