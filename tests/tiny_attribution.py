"""A study of four short thoughts whose turns attribution can score."""

from pathlib import Path

from tiny_traces import QUESTION, THOUGHT, arrivals_of, make_trace

from activations.cache import Settings as CacheSettings
from activations.cache import main as cache_activations
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from matches.tables import MATCHES
from problems.tables import PROBLEMS
from traces.tables import TRACES
from turns.reading import turn_words
from turns.tables import TURN_WORDS, TURNS

TEXTS = [
    THOUGHT,
    "I say 19. Wait, let me check: 12 + 7 = 19.\n</think>\n\nThe answer is 19.",
    "So 19. Wait, 19. Or 19? I add 12 and 7 again",
    "19. Wait, let me check that again. So the answer is 19.\n</think>\n19",
]
VERIFICATION = Verification(share=0.01, minimum=6, seed=0)


def turn_row(trace: dict, event: int, kind: str, character: int) -> dict:
    """A turn at the token that holds a character of the text."""
    place = max(k for k, start in enumerate(trace["offsets"]) if start <= character)
    return {
        "trace": trace["trace"],
        "problem": trace["problem"],
        "event": event,
        "kind": kind,
        "ordinal": 1,
        "position": len(trace["prompt_ids"]) + place - 1,
        "next_id": trace["completion_ids"][place],
        "logprob": -1.0,
        "predicted_id": 20 + event,
        "predicted_text": "?",
        "is_word": True,
        "selected": True,
    }


def turns_of(trace: dict) -> list[dict]:
    """A backtrack at "Wait", a control at the first digit before it."""
    text = trace["text"]
    wait = text.index("Wait")
    control = next(k for k, letter in enumerate(text) if letter.isdigit())
    rows = [
        turn_row(trace, 100, "control", max(control, trace["offsets"][2])),
        turn_row(trace, 101, "backtrack", wait),
    ]
    return rows


def write_study(folder: Path, model: ModelSettings) -> None:
    """Write problems, traces, events, turns and the activation cache."""
    tokenizer = load_tokenizer(model)
    traces = [
        make_trace(tokenizer, text, name=f"{k:05d}/0") for k, text in enumerate(TEXTS)
    ]
    events = [row for trace in traces for row in arrivals_of(trace)]
    problems = [
        {"problem": t["problem"], "question": QUESTION, "gold": "19", "solution": ""}
        for t in traces
    ]
    TRACES.write(TRACES.frame(traces), folder / "traces.parquet")
    EVENTS.write(EVENTS.frame(events), folder / "events.parquet")
    PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems.parquet")
    turns = [row for trace in traces for row in turns_of(trace)]
    TURNS.write(TURNS.frame(turns), folder / "turns.parquet")
    words = turn_words(tokenizer, {"backtrack": ["w", "b"], "wrap_up": ["s", "t"]})
    TURN_WORDS.write(words, folder / "words.parquet")
    MATCHES.write(MATCHES.frame([]), folder / "matches.parquet")
    cache_activations(
        traces_path=folder / "traces.parquet",
        events_path=folder / "events.parquet",
        matches_path=folder / "matches.parquet",
        cache_path=folder / "1-of-1.safetensors",
        index_path=folder / "index.parquet",
        verification_path=folder / "v.parquet",
        runs_path=folder / "r.parquet",
        shard="1-of-1",
        model=model,
        settings=CacheSettings(0.1, 0.5, VERIFICATION),
    )
