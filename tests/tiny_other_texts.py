"""Other texts and stops of a made-up thought of `tiny_explorer`."""

from pathlib import Path
from typing import Any

import polars as pl

from doubletake.study.registry import tables as contracts
from doubletake.tables.table import Table
from explorer.parts import needed_tables

BLANKS: dict[Any, Any] = {
    pl.String: "",
    pl.Boolean: False,
    pl.Int32: 0,
    pl.Float64: 0.0,
}


def filled(table: Table, **values: Any) -> dict[str, Any]:
    """A row of a table; columns that are not named are null or blank."""
    row = {}
    for column in table.columns:
        blank = column.values[0] if column.values else BLANKS.get(column.dtype, [])
        row[column.name] = None if column.nullable else blank
    assert set(values) <= set(row), set(values) - set(row)
    return row | values


def other_texts(trace: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows by table: a changed number, an added sentence, continuations, new texts.

    Args:
        trace: the thought; it says "12 + 7 = 19. So it is 19. Wait, ...".
    """
    text, names = trace["text"], {"trace": trace["trace"], "problem": trace["problem"]}
    sentence = text.index("12 + 7")
    number, cut = text.index("19"), text.index(" So it")
    kept = sum(offset < cut for offset in trace["offsets"])
    place = {"place": "early", "sentence": sentence, "cut": cut, "kept": kept}
    edits: list[dict[str, Any]] = [
        {"kind": "result", "start": number, "end": number + 2, "old": "19"}
        | {"new": "<i>17</i>"},
        {"kind": "filler", "start": cut, "end": cut, "appended": "That was easy."},
        {"kind": "none", "start": cut, "end": cut},
    ]
    after = [("result", True), ("filler", False), ("none", False)]
    mistakes = [
        {"place": "early", "kind": kind, "noticed": noticed, "answer": "19"}
        | {"correct": True, "tokens": 9, "following": f"After {kind}."}
        for kind, noticed in after
    ]
    continued = {"action": "wait", "place": "first", "kept": kept, "answer": "18"}
    position = len(trace["prompt_ids"]) + kept - 1
    anew = text.replace("Wait", "Hmm")
    shared = sum(offset < text.index(" Wait") for offset in trace["offsets"])
    found = {
        "mistakes/edits": [place | row for row in edits],
        "mistakes": mistakes,
        "wrong_samples": [continued | {"text": " So <b>no</b>: it is 18."}],
        "decoding_actions": [
            {"action": "nowait", "text": anew, "shared": shared, "answer": "19"}
        ],
        "ablation": [{"event": 1, "position": position}] * 2,
        "ablation/decoded": [
            {"ablation": "probe/every/project", "null": "random", "draw": 3}
            | {"length": "continuation", "event": 1, "readable": True, "text": " Ha."}
        ],
        "injection/free_runs": [
            {"token": position, "direction": name, "first_different": first}
            for name, first in (("unsteered", None), ("ward", 2))
        ],
        "steering/short": [
            {"source": source, "direction": "ward", "kept": kept, "text": " Well."}
            for source in ("direction", "shuffled")
        ],
        "steering": [{"text": text, "answer": "19", "correct": True}],
    }
    known = contracts()
    return {
        name: [filled(known[name], **(row | names)) for row in rows]
        for name, rows in found.items()
    }


def stops(trace: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows by table: a rule that stops in the replay, and while the model decoded."""
    names = {"trace": trace["trace"], "problem": trace["problem"], "full": 20}
    known = contracts()
    stop = filled(known["exit_policies/stops"], policy="cue_1", kept=8, **names)
    online = {"rule": "cue_1", "kept": 8, "replay_kept": 8, "stopped": True} | names
    other = {"full": 90, "kept": 5, "reason": "token", "first": 4}
    rows = (online | {"mode": "sampled", "equal": True}, online | other)
    return {
        "exit_policies/stops": [stop | {"answer": "19", "correct": True}],
        "online_exit": [filled(known["online_exit"], **row) for row in rows],
    }


def write_tables(folder: Path, views: list[str], name: str = "00002/0") -> None:
    """Write the tables of views of a made-up study, with rows of one thought.

    Args:
        folder: of the study's results.
        views: `texts` and `rules` have rows.
        name: of the thought.
    """
    known = contracts()
    traces = known["traces"].read(folder / "traces.parquet")
    trace = traces.row(by_predicate=pl.col("trace") == name, named=True)
    rows = other_texts(trace) | stops(trace)
    for table in set(needed_tables(views)) - set(needed_tables([])):
        path = folder / f"{table}.parquet"
        path.parent.mkdir(exist_ok=True)
        known[table].write(known[table].frame(rows.get(table, [])), path)
