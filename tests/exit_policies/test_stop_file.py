"""`make stop`: the config of a user's file, its errors, and the printed rules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from checkouts import ROOT

from doubletake.running.errors import InputError
from doubletake.study.config_schema import config_schema
from doubletake.study.config_shape import check_shape
from exit_policies.leaderboard import leaderboard
from exit_policies.stop_config import StopRequest, result_name, stop_config
from exit_policies.stop_file import arguments, main
from exit_policies.tables import POLICIES
from exit_policies.workflow_run import why_failed

LABELLED = ROOT / "resources/pocket/labelled_traces.jsonl"


def asked(*words):
    return StopRequest.of(arguments(words))


def test_the_config_of_a_file():
    words = ("--problems=p.jsonl", "--columns=gold=a.b,answer=", "--limit=5")
    request = asked(*words, "--dtype=bfloat16", "my/Out puts.v2.jsonl", "Org/Model-7B")
    config = stop_config(request)
    assert config["studies"] == [{"model": "model-7b", "dataset": "out-puts"}]
    assert config["models"]["model-7b"] == {
        "source": "Org/Model-7B",
        "dtype": "bfloat16",
        "device": "auto",
    }
    assert config["datasets"]["out-puts"] == {
        "source": "my/Out puts.v2.jsonl",
        "thoughts": True,
        "problems": "p.jsonl",
        "columns": {"gold": "a.b", "answer": None},
        "limit": 5,
    }
    assert request.folder == Path("results/stop/model-7b/out-puts")


@pytest.mark.parametrize("name", ["", "...", "日本", "-x-", "A" * 300, "a b", "ok.1"])
def test_every_file_gives_a_name_that_the_config_takes(name):
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    made = stop_config(asked(f"/d/{name}", f"/m/{name}"))
    check_shape(default | made, config_schema())
    assert result_name("a b", "x") == "a-b"


@pytest.mark.parametrize("limit", ["0", "-3", "x", "1.5"])
def test_a_limit_that_is_no_number_is_refused(limit):
    with pytest.raises(InputError, match="LIMIT"):
        asked(f"--limit={limit}", "a", "b")


def test_missing_files_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="TRACES: no such file or folder: a"):
        main(asked("a.jsonl", "m"), own_config=None, cores="1")
    Path("a.jsonl").write_text("{}")
    with pytest.raises(InputError, match="PROBLEMS: no such file or folder: p"):
        main(asked("--problems=p", "a.jsonl", "m"), own_config=None, cores="1")
    with pytest.raises(InputError, match="CONFIG: no such file: c"):
        main(asked("a.jsonl", "m"), own_config=Path("c"), cores="1")
    assert not Path("results").exists()


def test_the_error_of_a_job_comes_before_what_snakemake_says():
    job = "2026-01-02 03:04:05,678 ERROR retrieve_problems: a.jsonl, line 1: no 'gold'"
    later = "2026-01-02 03:04:06,678 ERROR x: later"
    assert why_failed(["Job 1", job, later]) == "a.jsonl, line 1: no 'gold'"
    config = ["WorkflowError in file config.smk, line 84:", "config: models.m: no"]
    assert why_failed(config) == "config: models.m: no"
    assert why_failed(["a", "", "b"]) == "Snakemake failed: a | b"


def policy(name, total, change, low, high, **other):
    row = dict.fromkeys(POLICIES.schema) | {"policy": name, "family": "rule"}
    row |= {"thoughts": 20, "problems": 10, "stopped": 5, "end_accuracy": 0.9}
    row |= {"total_rate": total, "accuracy": 0.9 + change, "change": change}
    row |= {"change_low": low, "change_high": high, "helped": 1, "harmed": 1}
    return row | other


def test_rules_stand_in_the_order_of_what_they_save():
    rows = [
        policy("dear", 1.1, 0.0, None, None, helped=0, harmed=0),
        policy("bold", 0.2, -0.2, -0.3, -0.1),
        policy("good", 0.5, 0.1, 0.05, 0.2),
        policy("few", 0.6, -0.1, None, None),
        policy("silent", 1.0, 0.0, None, None, stopped=0),
        policy("share_50", 0.5, 0.0, -0.1, 0.1, family="hindsight"),
        dict.fromkeys(POLICIES.schema) | {"policy": "probe", "family": "rule"},
    ]
    text = leaderboard(POLICIES.frame(rows))
    lines = [line.split() for line in text.splitlines()]
    assert text.startswith("20 thoughts on 10 problems, 90.0% right at the end.")
    assert [line[0] for line in lines[3:7]] == ["bold", "good", "few", "dear"]
    assert (lines[3][1], lines[3][-1]) == ("80.0%", "LOSES")
    assert lines[4][-1] == "GAINS"
    assert "(not checked)" in text.splitlines()[5]
    assert lines[5][-1] == "5"  # no verdict without an interval
    assert lines[6][1] == "-10.0%"
    assert "none changes" in text.splitlines()[6]
    assert "Stop no thought: silent." in text
    assert "Not replayed: probe." in text
    assert "share_50" not in text


def test_no_trial_points_are_not_checked():
    assert leaderboard(POLICIES.frame([])).startswith("Not checked")


def stop(checkout, *words):
    """What `make stop` runs."""
    script = checkout.folder / "workflow/scripts/exit_policies/stop_file.py"
    return subprocess.run(
        [sys.executable, str(script), "--cores=1", "--device=cpu", *words],
        cwd=checkout.folder,
        env=os.environ | {"PYTHONPATH": str(checkout.folder / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_thoughts_of_a_file_give_a_leaderboard_and_a_second_call_reuses_it(fresh):
    words = ("--limit=12", "--", str(LABELLED), "resources/pocket")
    first = stop(fresh, *words)
    assert first.returncode == 0, first.stderr[-4000:]
    assert first.stdout.startswith("12 thoughts on 12 problems")
    assert "traces, " in first.stderr  # progress
    folder = fresh.folder / "results/stop/pocket/labelled_traces"
    assert "results/stop/pocket/labelled_traces/exit_policies" in first.stdout
    assert not (folder / "activations").exists()
    assert not (folder / "attribution").exists()
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    second = stop(fresh, *words)
    assert second.stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_thoughts_without_a_gold_are_one_line_with_the_remedy(fresh):
    bad = fresh.folder / "bad.jsonl"
    bad.write_text('{"question": "1 + 1?", "response": "It is 2.</think>2"}\n')
    done = stop(fresh, "--", "bad.jsonl", "resources/pocket")
    assert done.returncode == 1
    assert done.stderr.startswith("error: bad.jsonl, line 1: no 'gold'")
    assert done.stderr.count("\n") == 1
    assert "make stop: COLUMNS, PROBLEMS" in done.stderr
    assert "results/stop/pocket/bad/stop.log" in done.stderr
