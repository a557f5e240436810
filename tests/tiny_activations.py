"""A study of random sequences, whose activations are cached and read again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch
from tiny_matches import pair_rows
from transformers import AutoModelForCausalLM

from activations.cache import Settings, main
from activations.declaration import DECLARATION
from activations.reading import ActivationCache, Origin
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import shard_names
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from matches.tables import MATCHES
from shards.merge import main as merge_tables
from traces.tables import TRACES

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
    empty = dict.fromkeys(("value", "is_gold", "is_final", "cue", "cue_kind"))
    numbers = {"ordinal": 1, "start": 0, "end": 1}
    rows = []
    for number, (prompt, completion) in enumerate(LENGTHS):
        if number == 4:  # a trace without events
            continue
        tokens = [prompt, prompt + completion // 3, prompt + completion - 1]
        kinds = ["control", "arrival", "backtrack"]
        for event, (token, kind) in enumerate(zip(tokens, kinds, strict=True)):
            row = {"trace": f"{number}/0", "event": event, "kind": kind, "token": token}
            rows.append(row | numbers | empty)
    return rows


@dataclass
class Study:
    """Tables and model of a study in a folder."""

    folder: Path
    model: ModelSettings
    hf: Any
    traces: pl.DataFrame
    events: pl.DataFrame
    matches: pl.DataFrame

    def write(self) -> None:
        TRACES.write(self.traces, self.folder / "traces.parquet")
        EVENTS.write(self.events, self.folder / "events.parquet")
        MATCHES.write(self.matches, self.folder / "matches.parquet")

    def run(self, name: str, shards: int = 1, batch_memory: float = 0.001) -> "Cached":
        self.write()
        folder = self.folder / name
        folder.mkdir()
        for shard in shard_names(shards):
            main(
                traces_path=self.folder / "traces.parquet",
                events_path=self.folder / "events.parquet",
                matches_path=self.folder / "matches.parquet",
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
        """States of one plain forward pass over the trace, without the adapter."""
        (row,) = self.traces.filter(trace=trace).to_dicts()
        ids = torch.tensor([row["prompt_ids"] + row["completion_ids"]])
        recorded: dict[str, list[torch.Tensor]] = {"attn": [], "mlp": [], "last": []}
        handles = []
        for layer in self.hf.model.layers:
            sandwich = hasattr(layer, "post_feedforward_layernorm")
            attention = layer.post_attention_layernorm if sandwich else layer.self_attn
            mlp = layer.post_feedforward_layernorm if sandwich else layer.mlp
            for name, part in (("attn", attention), ("mlp", mlp)):
                handles.append(part.register_forward_hook(collector(recorded[name])))
        last = self.hf.model.layers[-1].register_forward_hook(
            collector(recorded["last"])
        )
        with torch.no_grad():
            output = self.hf(ids, output_hidden_states=True)
        for handle in [*handles, last]:
            handle.remove()
        return {
            "resid": torch.stack([*output.hidden_states[:-1], recorded["last"][0]])[
                :, 0
            ],
            "attn_out": torch.stack(recorded["attn"])[:, 0],
            "mlp_out": torch.stack(recorded["mlp"])[:, 0],
        }


def collector(into: list[torch.Tensor]) -> Any:
    def hook(_: Any, __: Any, output: Any) -> None:
        into.append(output[0] if isinstance(output, tuple) else output)

    return hook


@dataclass
class Cached:
    """The results of a run."""

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
    events = event_rows()
    pairs = [
        ((row["trace"], 2, row["token"] - 1), (row["trace"], 0, row["token"] - 1))
        for row in events
        if row["kind"] == "backtrack"
    ]
    matches = MATCHES.frame(pair_rows("backtrack_control", pairs))
    return Study(folder, model, hf, traces, EVENTS.frame(events), matches)
