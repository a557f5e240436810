"""Writes a tiny study for tests of the ablation: equal thoughts, random directions."""

from dataclasses import dataclass
from pathlib import Path

from tiny_directions import write_tiny_directions
from tiny_traces import QUESTION, THOUGHT, arrivals_of, make_trace

from ablation.tables import (
    ABLATION,
    ABLATION_DECODED,
    ABLATION_SETS,
    ABLATION_VERSIONS,
)
from attention.tables import ATTENTION, BINS
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES
from turns.reading import turn_words
from turns.tables import TURN_WORDS, TURNS

PROBLEMS_COUNT = 12
WORDS = {"backtrack": ["Wai", "Al", "che"], "wrap_up": ["So", "Th"]}
DLA = ("dla_backtrack", "dla_wrap_up", "dla_vocabulary")


def attention_row(problem, layer, values):
    """One position of a layer; `values` are those of its heads, in every column."""
    return {
        "trace": f"{problem}/0",
        "problem": problem,
        "event": 1,
        "kind": "backtrack",
        "position": 40,
        "layer": layer,
        "tokens": [1] * len(BINS),
        **dict.fromkeys((*BINS, *DLA), values),
        "sink": None,
        "arrival_is_current": True,
    }


@dataclass
class Tables:
    """Paths of a study, and what its tables were made from."""

    folder: Path
    inputs: dict[str, Path]
    problems: list[str]

    @property
    def outputs(self):
        names = ("boundaries", "versions", "sets", "decoded", "verification", "runs")
        return {name: self.folder / f"{name}.parquet" for name in names}

    def read(self):
        tables = (
            *(ABLATION, ABLATION_VERSIONS, ABLATION_SETS, ABLATION_DECODED),
            *(VERIFICATION, RUNS),
        )
        files = zip(tables, self.outputs.items(), strict=True)
        return {name: table.read(path) for table, (name, path) in files}


def write_study(folder, decoder, tokenizer, *, texts=None, from_a_file=False):
    """Write the inputs of a study; every second problem is to test.

    Args:
        folder: for the files.
        decoder: the model.
        tokenizer: its tokenizer.
        texts: completions by number of the problem, instead of `THOUGHT`.
        from_a_file: whether the thoughts have no log-probs.
    """
    names = [f"{k:05d}" for k in range(PROBLEMS_COUNT)]
    traces, events, turns, attention = [], [], [], []
    for number, name in enumerate(names):
        text = (texts or {}).get(number, THOUGHT)
        trace = make_trace(tokenizer, text, f"{name}/0")
        if not from_a_file:
            trace["logprobs"] = [-1.0] * len(trace["completion_ids"])
        traces.append(trace)
        events += arrivals_of(trace)
        position = len(trace["prompt_ids"]) + 3 + number % 4
        turns.append(
            {"trace": trace["trace"], "problem": name, "event": 1, "ordinal": 1}
            | {"kind": "backtrack", "position": position, "next_id": 7}
            | {"logprob": -1.0, "predicted_id": 7, "predicted_text": "x"}
            | {"is_word": True, "selected": True}
        )
        attention += [
            attention_row(name, layer, [0.1 * layer + 0.01 * head for head in range(4)])
            for layer in range(decoder.n_layers)
        ]
    problems = [
        {"problem": name, "question": QUESTION, "gold": "19", "solution": "19"}
        for name in names
    ]
    tables = {
        "problems": (PROBLEMS, PROBLEMS.frame(problems)),
        "traces": (TRACES, TRACES.frame(traces)),
        "events": (EVENTS, EVENTS.frame(events)),
        "turns": (TURNS, TURNS.frame(turns).select(list(TURNS.schema))),
        "words": (TURN_WORDS, turn_words(tokenizer, WORDS)),
        "attention": (ATTENTION, ATTENTION.frame(attention)),
    }
    inputs = {}
    for name, (table, frame) in tables.items():
        inputs[name] = folder / f"{name}.parquet"
        table.write(frame, inputs[name])
    paths = write_tiny_directions(folder, decoder, names)
    inputs |= {"directions": paths["vectors"], "parts": paths["problems"]}
    return Tables(folder, inputs, names)
