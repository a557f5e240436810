"""Studies of short thoughts with known sentences, for tests of directions."""

import random
from pathlib import Path
from typing import Any

from tiny_activations import Study
from tiny_matches import pair_rows
from tiny_traces import make_trace
from transformers import AutoModelForCausalLM

from directions.settings import Settings
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from doubletake.text.trace_positions import token_at
from events.tables import EVENTS
from matches.tables import MATCHES
from traces.tables import TRACES

Piece = tuple[str, str]
"""Kind of a sentence (`arrival` holds the right answer 8) and its text."""
OPENERS = ["Tom has 5 pens. ", "Let me solve this step by step. ", "Five and three. "]
TURNS = ["Wait, let me check that. ", "But is it right? ", "Alternatively, add them. "]
STEPS = ["Five and three more. ", "That was not hard. ", "Tom has pens now. "]


def pieces_of(number: int) -> list[Piece]:
    """The sentences of a thought: they differ from problem to problem."""
    rng = random.Random(number)
    pieces = [("other", rng.choice(OPENERS)), ("arrival", "So 5 + 3 = 8. ")]
    for _ in range(rng.randrange(1, 4)):
        end = rng.choice(["", "\n\n"])
        pieces.append(("control", rng.choice(STEPS).strip() + (end or " ")))
        pieces.append(("backtrack", rng.choice(TURNS)))
    pieces.append(("control", rng.choice(STEPS).strip() + "\n\n"))
    pieces.append(("arrival", "It is 8 pens.\n\n"))
    pieces.append(("wrap_up", "So the final answer is 8."))
    return pieces


def rows_of(
    tokenizer: TraceTokenizer, name: str, pieces: list[Piece]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The trace of some sentences, and its events."""
    text = "".join(words for _, words in pieces)
    trace = make_trace(tokenizer, f"{text}\n</think>\n\nThe answer is 8.", name)
    events: list[dict[str, Any]] = []
    start, prompt = 0, len(trace["prompt_ids"])
    for kind, words in pieces:
        if kind != "other":
            at = start + words.index("8") if kind == "arrival" else start
            end = at + 1 if kind == "arrival" else start + len(words.rstrip())
            numbers = {"event": len(events), "ordinal": 1, "start": at, "end": end}
            row = dict.fromkeys(EVENTS.schema) | {"trace": name, "kind": kind} | numbers
            row["token"] = token_at(trace["offsets"], prompt, at)
            row["is_gold"] = True if kind == "arrival" else None
            events.append(row)
        start += len(words)
    return trace, events


def study_with(
    folder: Path, model: ModelSettings, thoughts: list[tuple[str, list[Piece]]]
) -> Study:
    """A study of named thoughts; turns are paired with controls of any problem."""
    hf = AutoModelForCausalLM.from_pretrained(model.source, attn_implementation="eager")
    tokenizer = load_tokenizer(model)
    made = [rows_of(tokenizer, name, pieces) for name, pieces in thoughts]
    events = [row for _, rows in made for row in rows]
    of_kind = {
        kind: [
            (row["trace"], row["event"], row["token"] - 1)
            for row in events
            if row["kind"] == kind
        ]
        for kind in ("backtrack", "control", "wrap_up")
    }
    random.Random(1).shuffle(of_kind["control"])
    pairs = [
        row
        for first in ("backtrack", "wrap_up")
        for row in pair_rows(
            f"{first}_control",
            list(zip(of_kind[first], of_kind["control"], strict=False)),
        )
    ]
    return Study(
        folder,
        model,
        hf,
        TRACES.frame([trace for trace, _ in made]),
        EVENTS.frame(events),
        MATCHES.frame(pairs),
    )


def many_thoughts() -> list[tuple[str, list[Piece]]]:
    """Thoughts on sixteen problems, on some of them two."""
    names = [f"{k}/0" for k in range(16)] + [f"{k}/1" for k in range(0, 16, 3)]
    return [(name, pieces_of(k)) for k, name in enumerate(sorted(names))]


def settings_with(**changes: Any) -> Settings:
    """Settings of a small fit."""
    values: dict[str, Any] = {
        "fit_share": 0.5,
        "thoughts": None,
        "windows": [[-7, -2], [-1, -1]],
        "shuffles": 3,
        "strength": 0.05,
        "folds": 2,
        "components": 4,
        "component_positions": 50,
        "units": 3,
        "seed": 0,
        "batch_memory": 0.01,
        "verification": Verification(share=1.0, minimum=100, seed=0),
        "least_problems": 2,
    }
    return Settings(**(values | changes))
