"""The door for own work: tables, thoughts, activations, and the example notebook."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from checkouts import ROOT

from doubletake.results import open_study
from doubletake.running.errors import InputError

NOTEBOOK = ROOT / "docs/results.ipynb"


@pytest.fixture
def study(finished):
    return open_study(finished.study())


def test_tables_are_those_of_the_files(study, finished):
    for name in study.tables:
        path = finished.study() / f"{name}.parquet"
        assert study.table(name).equals(pl.read_parquet(path))
    assert {"traces", "early_exit", "attribution/words"} <= set(study.tables)
    assert study.manifest.content["outputs"]


def test_a_thought_has_its_events_and_tokens(study):
    row = study.table("traces").row(3, named=True)
    thought = study.trace(row["trace"])
    assert thought.row == row
    assert thought.text == row["text"][row["thought_start"] : row["thought_stop"]]
    assert "".join(text for _, text in thought.tokens) == row["text"]
    assert set(thought.events["trace"]) == {row["trace"]}
    assert thought.problem["problem"] == row["problem"]
    tokens = dict(thought.tokens)
    for event in thought.events.filter(kind="arrival").iter_rows(named=True):
        assert event["value"].endswith(tokens[event["token"]].strip())


def test_activations_are_those_of_the_cache(study):
    one = study.activations(kind="backtrack", layer=2)
    every = study.activations(kind="backtrack")
    assert set(one.rows["kind"]) == {"backtrack"}
    assert one.values.shape == (one.rows.height, every.values.shape[2])
    assert np.array_equal(every.values[:, 2], one.values)
    assert (one.rows["position"] == one.rows["token"] - 1).all()
    parts = [
        study.activations(kind="arrival", part=part).values
        for part in ("resid", "attn_out", "mlp_out")
    ]
    added = parts[0][:, :-1] + parts[1] + parts[2]
    assert np.allclose(added, parts[0][:, 1:], atol=2e-3)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.table("early_exits"), "no table early_exits"),
        (lambda s: s.trace("99999/0"), "no thought 99999/0"),
        (lambda s: s.activations(kind="turn"), "no event is a turn; kinds: arrival"),
        (
            lambda s: s.activations(kind="arrival", layer=99),
            "layer is 99, not one of 0",
        ),
        (lambda s: s.activations(kind="arrival", part="mlp"), "part is mlp, not one"),
    ],
)
def test_what_is_not_there_is_named(study, ask, message):
    with pytest.raises(InputError, match=message):
        ask(study)


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no results of a study: traces\.parquet"):
        open_study(tmp_path)


def test_activations_of_other_events_are_refused(finished, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(finished.study(), folder)
    events = folder / "events.parquet"
    from events.tables import EVENTS

    EVENTS.write(EVENTS.read(events)[:-1], events)
    with pytest.raises(InputError, match="made from another events"):
        open_study(folder).activations(kind="arrival")


def test_the_notebook_runs(finished):
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=finished.folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "backtracks" in done.stdout
    assert all(not cell.get("outputs") for cell in cells)
    assert Path(NOTEBOOK).stat().st_size < 20_000
