"""A made-up study for the explorer: many thoughts, and some with difficult texts."""

from pathlib import Path
from typing import Any

from tiny_traces import make_trace

from doubletake.text.tokenizer import TraceTokenizer
from events.tables import EVENTS
from explorer.parts import needed_tables
from explorer.study_data import ShownStudy
from problems.tables import PROBLEMS
from traces.tables import TRACES

HOSTILE = (
    "<script>document.title = 'taken'</script> & <img src=x onerror=alert(1)> "
    "\u05e9\u05dc\u05d5\u05dd 19 \u0645\u0631\u062d\u0628\u0627 \U0001f600\U0001f600 "
    "\u202eback\u202c is 19.\n</think>\n\nThe answer is 19."
)
PLAIN = "12 + 7 = 19. So it is 19. Wait, 7 + 12 = 19. It is 19.\n</think>\n\n19."
LONG = 20000
"""Tokens of the long thought."""


def _events(trace: dict[str, Any]) -> list[dict[str, Any]]:
    """Arrivals at each 19 of the thought, and a backtrack at each Wait."""
    text, stop = trace["text"], trace["thought_stop"]
    found = []
    for word, kind in (("19", "arrival"), ("Wait", "backtrack")):
        start = text.find(word)
        while 0 <= start < stop and len(found) < 400:
            found.append((start, kind, word))
            start = text.find(word, start + 1)
    rows: list[dict[str, Any]] = []
    ordinals = {"arrival": 0, "backtrack": 0}
    for start, kind, word in sorted(found):
        ordinals[kind] += 1
        token = sum(offset <= start for offset in trace["offsets"]) - 1
        arrival = kind == "arrival"
        rows.append(
            {
                "trace": trace["trace"],
                "event": len(rows),
                "kind": kind,
                "ordinal": ordinals[kind],
                "start": start,
                "end": start + len(word),
                "token": len(trace["prompt_ids"]) + token,
                "value": "19" if arrival else None,
                "is_gold": True if arrival else None,
                "is_final": True if arrival else None,
                "cue": None if arrival else "Wait",
                "cue_kind": None if arrival else "check",
            }
        )
    return rows


def write_made_up_study(folder: Path, tokenizer: TraceTokenizer, count: int) -> None:
    """Write problems, traces and events of a made-up study.

    Thought 0 has a hostile text, thought 1 has `LONG` tokens, the others are alike.

    Args:
        folder: of the study's results.
        tokenizer: of the pocket model.
        count: number of thoughts, each on a problem of its own.
    """
    question = tokenizer.prompt_ids("Tom has 12 pens & buys 7 <b>more</b>. How many?")
    plain = make_trace(tokenizer, PLAIN, prompt=question)
    sentence = len(tokenizer.encode(" 12 + 7 = 19. Wait, let me check that again.\n"))
    long = " 12 + 7 = 19. Wait, let me check that again.\n" * (LONG // sentence + 1)
    first = [HOSTILE, long + "</think>\n\n19."]
    traces, events = [], []
    known = _events(plain)
    for k in range(count):
        name = f"{k:05d}/0"
        if k < len(first):
            trace = make_trace(tokenizer, first[k], name, question)
            rows = _events(trace)
        else:
            trace = plain | {"trace": name, "problem": f"{k:05d}"}
            trace |= {"correct": k % 5 != 0, "answer": "19" if k % 5 else "18"}
            rows = [row | {"trace": name} for row in known]
        traces.append(trace)
        events += rows
    problems = [
        {
            "problem": f"{k:05d}",
            "question": f"Tom has {k} pens & buys 7 <b>more</b>. How many?",
            "gold": "19",
            "solution": "19",
        }
        for k in range(count)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    TRACES.write(TRACES.frame(traces), folder / "traces.parquet")
    EVENTS.write(EVENTS.frame(events), folder / "events.parquet")
    PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems.parquet")


def shown(
    folder: Path,
    name: str,
    views: frozenset[str] = frozenset(),
    tables: frozenset[str] | None = None,
) -> ShownStudy:
    """A study in the explorer, in chunks of the usual size; all its tables, or some."""
    made = frozenset(needed_tables(views)) if tables is None else tables
    return ShownStudy(name, folder, views, made, "log_odds", 100, 20)
