"""A tiny study with turns: random traces with backtracks, and their cache."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from thought_edges import edges_of
from tiny_matches import pair_rows

from activations import cache as cache_activations
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from events.tables import EVENTS
from matches.tables import MATCHES
from traces.tables import TRACES
from turns import locate as locate_turns

WORDS = {"backtrack": ["Wai", "Al", "che"], "wrap_up": ["So", "Th"]}
"""Single tokens of the tiny tokenizer, by group."""
LENGTHS = [(9, 30), (5, 41), (7, 22), (5, 41), (6, 12), (11, 34)]
"""Tokens of the prompt and of the completion, by trace."""
EVERY = locate_turns.Settings("every", False, WORDS)


@dataclass
class TurnsStudy:
    """Files of a tiny study, and its model."""

    folder: Path
    model: ModelSettings
    decoder: Decoder
    traces: list[dict[str, Any]]

    def ids(self, trace: str) -> torch.Tensor:
        """The trace's tokens, [1, token]."""
        (row,) = [row for row in self.traces if row["trace"] == trace]
        return torch.tensor([row["prompt_ids"] + row["completion_ids"]])

    @property
    def files(self) -> dict[str, Any]:
        """Paths as the scripts' keyword arguments."""
        return {
            "traces_path": self.folder / "traces.parquet",
            "events_path": self.folder / "events.parquet",
            "index_path": self.folder / "index.parquet",
            "cache_paths": [self.folder / "1-of-1.safetensors"],
        }

    @property
    def matches_path(self) -> Path:
        """Path of the table of matched pairs."""
        return self.folder / "matches.parquet"

    def locate(self, settings: locate_turns.Settings = EVERY) -> None:
        """Write the turns, their words and their verification."""
        locate_turns.main(
            **self.files,
            matches_path=self.matches_path,
            turns_path=self.folder / "turns.parquet",
            words_path=self.folder / "words.parquet",
            verification_path=self.folder / "verification.parquet",
            model=self.model,
            settings=settings,
        )


def trace_row(decoder: Decoder, number: int, prompt: int, length: int) -> dict:
    """A random trace with the model's log-probs; two traces share a problem."""
    generator = torch.Generator().manual_seed(number)
    ids = torch.randint(6, 330, (1, prompt + length), generator=generator)
    with torch.no_grad():
        logits = decoder.hf(ids).logits[0, prompt - 1 : -1].log_softmax(-1)
    return {
        "trace": f"{number // 2}/{number % 2}",
        "problem": str(number // 2),
        "sample": number % 2,
        "prompt_ids": ids[0, :prompt].tolist(),
        "completion_ids": ids[0, prompt:].tolist(),
        "logprobs": logits.gather(1, ids[0, prompt:, None])[:, 0].tolist(),
        "text": "x" * length,
        "offsets": list(range(length)),
        "thought_end": None,
        **edges_of("x" * length),
        "finish": "length",
        "answer": None,
        "correct": False,
    }


def event_rows(trace: str, prompt: int, length: int) -> list[dict]:
    """An arrival, two backtracks, a control and a wrap-up."""
    unset = dict.fromkeys(("value", "is_gold", "is_final", "cue", "cue_kind"))
    kinds = ["arrival", "backtrack", "control", "backtrack", "wrap_up"]
    return [
        {"trace": trace, "event": event, "kind": kind}
        | {"ordinal": 1 + kinds[:event].count(kind), "start": start, "end": start + 1}
        | {"token": prompt + start}
        | unset
        for event, kind in enumerate(kinds)
        for start in [2 + event * (length - 3) // len(kinds)]
    ]


def matches_of(events: list[dict]) -> list[dict]:
    """In every trace: each contrast of turns has one pair."""
    traces = dict.fromkeys(row["trace"] for row in events)
    token = {(row["trace"], row["event"]): row["token"] for row in events}
    pairs = {
        "backtrack_control": (1, 2),
        "wrap_up_control": (4, 2),
        "backtrack_wrap_up": (3, 4),
    }
    return [
        row
        for contrast, members in pairs.items()
        for row in pair_rows(
            contrast,
            [
                tuple((trace, event, token[trace, event] - 1) for event in members)
                for trace in traces
            ],
        )
    ]


def write_turns_study(folder: Path, model: ModelSettings) -> TurnsStudy:
    """Write traces, events, matches and cache of a random study; without its turns."""
    decoder = load_decoder(model)
    traces = [
        trace_row(decoder, number, *sizes) for number, sizes in enumerate(LENGTHS)
    ]
    events = [
        row
        for trace, sizes in zip(traces, LENGTHS, strict=True)
        for row in event_rows(trace["trace"], *sizes)
    ]
    study = TurnsStudy(folder, model, decoder, traces)
    TRACES.write(TRACES.frame(traces), study.files["traces_path"])
    EVENTS.write(EVENTS.frame(events), study.files["events_path"])
    matches = MATCHES.frame(matches_of(events)).select(list(MATCHES.schema))
    MATCHES.write(matches, study.matches_path)
    cache_activations.main(
        traces_path=study.files["traces_path"],
        events_path=study.files["events_path"],
        matches_path=study.matches_path,
        cache_path=study.files["cache_paths"][0],
        index_path=study.files["index_path"],
        verification_path=folder / "cache.verification.parquet",
        runs_path=folder / "cache.runs.parquet",
        shard="1-of-1",
        model=model,
        settings=cache_activations.Settings(0.01, 0.5, Verification(0.1, 8, 0)),
    )
    return study
