"""A small study with known numbers for the report."""

import re
from pathlib import Path

import polars as pl
import yaml
from checkouts import ROOT
from thought_edges import edges_of

from doubletake.detector.detectors import DETECTORS
from doubletake.running.manifests import file_entries, manifest_content, write_manifest
from doubletake.running.provenance import Provenance
from doubletake.running.seals import BLANK, MARK, sealed
from doubletake.study.outputs import NOT_SHOWN, StudyFiles
from doubletake.study.registry import stages
from doubletake.tables.runs import RUNS
from doubletake.tables.table import Table
from doubletake.tables.verification import VERIFICATION
from early_exit.tables import EARLY_EXIT_SUMMARY
from events.tables import GROUPS

MARKER = "</think>"
PROMPT = 3
HOSTILE = (
    "<script>alert('x')</script> </svg> \x1b[31mred\x1b[0m \x00 \u202eno\u202c \"q\" &"
)
FIGURE = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  width="100pt" height="50pt" viewBox="0 0 100 50" onload="steal()">
 <metadata><a href="https://example.org"/></metadata>
 <style>*{stroke-linecap: butt}</style><script>steal()</script>
 <defs><path id="m1" d="M 0 0"/><clipPath id="p1"><path d="M 0 0"/></clipPath></defs>
 <use xlink:href="#m1" clip-path="url(#p1)"/>
 <use xlink:href="https://example.org/x.svg#y" style="fill: url(https://e.org/#z)"/>
</svg>"""
DEFAULT = {
    name: section
    for name, section in yaml.safe_load(
        (ROOT / "config/config.yaml").read_text()
    ).items()
    if name not in NOT_SHOWN
}
"""Sections of the default config, so that every page finds its own."""
SETTINGS = {
    **DEFAULT,
    "model": {
        "source": "resources/pocket",
        "revision": None,
        "dtype": "float32",
        "device": "cpu",
    },
    "dataset": {
        "source": "owner/data",
        "revision": "e" * 40,
        "name": "main",
        "split": "test",
        "limit": 4,
        "thoughts": False,
    },
    "shards": 1,
    "generation": {
        "backend": "transformers",
        "samples": 1,
        "temperature": 0.6,
        "top_p": 0.95,
        "max_new_tokens": 512,
        "batch_size": 32,
        "seed": 0,
    },
    "events": {"detector": "rules", "labels": "own/labels.jsonl"},
    "early_exit": {
        "answer_prompt": "\n</think>\n\\boxed{",
    },
    "value_vectors": {"contrast": "backtrack_control", "layers": None},
    "attribution": {
        "kinds": ["backtrack"],
        "metric": "log_odds",
        "method": "gradient",
        "top_words": 2,
        "next_words": 5,
        "stop_words": "own/stop.txt",
        "heat_maps": 2,
    },
    "verification": {"share": 0.1, "minimum": 8, "seed": 0},
    "intervals": {"confidence": 0.95, "least_problems": 3},
}
HERE = Provenance("abc123", {"python": "3.11.7"}, "one machine", "2026-01-02 03:04 UTC")

RIGHT = "5 + 3 = 8. Wait, let me check. So it is 8. Done."
MENDED = "5 + 3 = 7. Wait, no. 5 + 3 = 8."
PLAIN = "It is 8."
OPEN = "Hm, let me see"


def trace_row(name: str, thought: str, answer: str | None) -> dict:
    """A trace with a token per character, except for the marker, which is one token."""
    closed = answer is not None
    text = thought + (f"{MARKER}it is {answer}" if closed else "")
    offsets = [*range(len(thought))]
    if closed:
        offsets += [len(thought), *range(len(thought) + len(MARKER), len(text))]
    return {
        "trace": f"{name}/0",
        "problem": name,
        "sample": 0,
        "prompt_ids": [0] * PROMPT,
        "completion_ids": [1] * len(offsets),
        "logprobs": None,
        "text": text,
        "offsets": offsets,
        "thought_end": PROMPT + len(thought) if closed else None,
        **edges_of(text),
        "finish": "stop" if closed else "length",
        "answer": answer,
        "correct": answer == "8",
    }


def event_rows(name: str, thought: str) -> list[dict]:
    """Arrivals are numbers after `=` and `is`, backtracks Wait, wrap-ups Done."""
    patterns = (
        ("arrival", r"(?:= |is )(\d)"),
        ("backtrack", r"(Wait[^.]*\.)"),
        ("wrap_up", r"(Done\.)"),
    )
    rows: list[dict] = []
    for kind, pattern in patterns:
        for ordinal, match in enumerate(re.finditer(pattern, thought), start=1):
            start, end = match.span(1)
            arrival = kind == "arrival"
            value = match[1] if arrival else None
            row = {
                "kind": kind,
                "ordinal": ordinal,
                "start": start,
                "end": end,
                "token": PROMPT + (end - 1 if arrival else start),
                "value": value,
                "is_gold": value == "8" if arrival else None,
                "is_final": value == "8" if arrival else None,
                "cue": "Wait" if kind == "backtrack" else None,
                "cue_kind": "check" if kind == "backtrack" else None,
            }
            rows.append(row)
    rows.sort(key=lambda row: row["start"])
    return [{"trace": f"{name}/0", "event": i} | row for i, row in enumerate(rows)]


def exit_row(name: str, number: int, tokens: int, answer: str | None, p: float) -> dict:
    known = {} if answer is None else {"whole_logprob": float(pl.Series([p]).log()[0])}
    return {
        "trace": f"{name}/0",
        "exit": number,
        "tokens_before": tokens,
        "answer": answer,
        "correct": answer == "8",
        "logit": 10.0,
        "whole_logprob": None,
        "ended": answer is not None,
        "margin": 1.0,
        "answer_text": "8",
        "entropy": 0.5,
    } | known


THOUGHTS = {"a": (RIGHT, "8"), "b": (MENDED, "8"), "c": (PLAIN, "8"), "d": (OPEN, None)}
EXITS = [
    exit_row("a", 0, 0, "3", 0.1),
    exit_row("a", 1, 10, "8", 0.9),
    exit_row("a", 2, 42, "8", 0.95),
    exit_row("b", 0, 0, "8", 0.1),
    exit_row("b", 1, 10, "7", 0.6),
    exit_row("b", 2, 31, "8", 0.95),
    exit_row("c", 0, 0, "3", 0.1),
    exit_row("c", 1, 8, "8", 0.9),
    exit_row("d", 0, 0, None, 0.1),
]
SUMMARY = {
    "arrivals": 1,
    "exit": 0,
    "traces": 2,
    "problems": 2,
    "accuracy": 0.5,
    "accuracy_low": 0.1,
    "accuracy_high": 0.9,
    "final_accuracy": 1.0,
    **{
        name: None
        for name in EARLY_EXIT_SUMMARY.schema
        if name.startswith(("logit", "normalised", "difference", "published"))
    },
}
SLOPE = {
    "measure": "logit",
    "part": "later",
    "which": "all",
    "slope": 0.25,
    "slope_low": 0.125,
    "slope_high": 0.5,
    "steps": 20,
    "traces": 5,
    "problems": 4,
}
BIN = {
    "part": "arrivals",
    "bin": 0,
    "exits": 8,
    "problems": 4,
    "lowest": 0.1,
    "highest": 0.95,
    "confidence": 0.6,
    "brier": 0.2,
    "accuracy": 0.75,
    "accuracy_low": 0.4,
    "accuracy_high": 0.9,
}
CHECK = {
    "stage": "early_exit",
    "check": "fast against slow",
    "statistic": "largest difference",
    "value": 0.00002,
    "unit": "logit",
    "n": 1234,
    "bound": 0.001,
    "merge": "max",
}
RUN = {
    "stage": "traces",
    "shard": "1-of-1",
    "traces": 4,
    "tokens": 12000,
    "seconds": 60.0,
    "device": "cpu, 2 threads",
    "dtype": "float32",
    "note": "",
}


SCORE = {
    "detector": "rules",
    "model": "someone",
    "kind": "arrival",
    "traces": 55,
    "labelled": 220,
    "found": 218,
    "hits": 216,
    "precision": 0.991,
    "precision_low": 0.971,
    "precision_high": 1.0,
    "recall": 0.982,
    "recall_low": 0.958,
    "recall_high": 1.0,
    "f1": 0.986,
    "f1_low": 0.965,
    "f1_high": 1.0,
}


class Study:
    """Rows of a study. Tests change them before they are written."""

    def __init__(self, dataset: str = "data") -> None:
        self.dataset = dataset
        self.settings = SETTINGS
        self.checks, self.run, self.figure = [CHECK], RUN, FIGURE
        self.rows = {
            "problems": [
                {"problem": name, "question": "5 + 3?", "gold": "8", "solution": ""}
                for name in THOUGHTS
            ],
            "traces": [trace_row(name, *said) for name, said in THOUGHTS.items()],
            "events": [
                row
                for name, said in THOUGHTS.items()
                for row in event_rows(name, said[0])
            ],
            "events/counts": [
                {"detector": detector, "group": group, "events": number}
                for detector in DETECTORS
                for number, group in enumerate((*GROUPS, "backtrack"))
            ],
            "early_exit": EXITS,
            "early_exit/summary": [SUMMARY],
            "early_exit/slopes": [SLOPE, SLOPE | {"which": "went_on"}],
            "early_exit/calibration": [BIN],
        }

    def write(self, root: Path) -> StudyFiles:
        """Write everything under `root/dataset`."""
        folder = root / self.dataset
        figure = f"{self.figure}<!-- {MARK}: {BLANK} -->"
        for stage in stages():
            (folder / stage.name).mkdir(parents=True, exist_ok=True)
            for table in stage.all_tables:
                rows = self.rows_of(stage.name, table)
                table.write(table.frame(rows), folder / table.file(stage.name))
            for drawn in stage.figures:
                path = folder / f"{stage.name}/{drawn.name}.svg"
                path.write_bytes(sealed(figure.encode()))
            for artifact in stage.artifacts:
                (folder / artifact.name.format(shard="1-of-1")).touch()
        self.write_manifest(folder)
        return StudyFiles("tiny", self.dataset, str(folder), ["1-of-1"], self.settings)

    def rows_of(self, stage: str, table: Table) -> list[dict]:
        if table is RUNS:
            return [self.run | {"stage": stage}]
        if table is VERIFICATION:
            return self.checks if stage == "early_exit" else []
        return self.rows.get(table.name, [])

    def write_manifest(self, folder: Path) -> str:
        content = manifest_content(
            study={"model": "tiny", "dataset": self.dataset},
            config={},
            inputs={},
            outputs=file_entries([folder / "problems.parquet"], folder),
            stages=[],
            rules=[],
            provenance=HERE,
        )
        write_manifest(content, folder / "manifest.json")
        return str(folder / "manifest.json")
