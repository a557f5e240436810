"""Traces of earlier runs, read from the shared store."""

import shutil

import pytest
from thought_edges import edges_of

from doubletake.running.errors import InputError
from doubletake.running.store import Store
from traces import earlier_traces
from traces.earlier_traces import add_to_store, rows_in_store
from traces.tables import TRACES


def row(problem: str) -> dict:
    return {
        "trace": f"{problem}/0",
        "problem": problem,
        "sample": 0,
        "prompt_ids": [1, 2],
        "completion_ids": [3],
        "logprobs": [-0.5],
        "text": "so",
        "offsets": [0],
        "thought_end": None,
        **edges_of("so"),
        "finish": "length",
        "answer": None,
        "correct": False,
    }


@pytest.fixture
def store(tmp_path) -> Store:
    """A store that holds two shards of one key."""
    store = Store(tmp_path / "store")
    for problem in ("p1", "p2"):
        traces = TRACES.frame([row(problem)])
        TRACES.write(traces, tmp_path / problem)
        add_to_store(store, "key", tmp_path / problem, traces)
    return store


def test_rows_of_every_shard_are_found(store):
    assert rows_in_store(store, "key") == {"p1/0": row("p1"), "p2/0": row("p2")}
    assert rows_in_store(store, "other") == {}


def test_a_shard_removed_before_it_is_read_is_left_out(store, monkeypatch):
    entries = list(store.entries("traces/key", earlier_traces.TRACES_FILE))
    monkeypatch.setattr(Store, "entries", lambda *_: iter(entries))
    shutil.rmtree(entries[0].parent)
    assert len(rows_in_store(store, "key")) == 1


def test_a_table_that_breaks_the_contract_is_named(store, monkeypatch, tmp_path):
    (tmp_path / "foreign").write_text("no table")
    monkeypatch.setattr(Store, "entries", lambda *_: iter([tmp_path / "foreign"]))
    with pytest.raises(InputError, match="foreign is damaged"):
        rows_in_store(store, "key")
