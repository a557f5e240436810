"""The page on a user's own thoughts, command by command as it stands there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import yaml
from checkouts import ROOT

from traces.tables import TRACES

PAGE = (ROOT / "docs/your-own-thoughts.md").read_text(encoding="utf-8")
LABELLED = ROOT / "resources/pocket/labelled_traces.jsonl"
COUNT = 20


def blocks(language: str) -> list[str]:
    """Code blocks of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def outputs() -> list[SimpleNamespace]:
    """What vLLM returns for twenty prompts."""
    rows = [json.loads(line) for line in LABELLED.read_text().splitlines()[:COUNT]]
    return [
        SimpleNamespace(
            request_id=str(number),
            prompt=f"<｜User｜>{row['question']}<｜Assistant｜><think>\n",
            outputs=[
                SimpleNamespace(
                    text=f"{row['thought']}\n</think>\n\nIt is {row['gold']}.",
                    finish_reason="stop",
                )
            ],
        )
        for number, row in enumerate(rows)
    ]


def test_the_page_leads_from_outputs_to_the_figure(fresh, monkeypatch):
    monkeypatch.chdir(fresh.folder)
    folder = fresh.folder / "my"
    folder.mkdir()
    shutil.copytree(fresh.folder / "resources/pocket", folder / "model")
    rows = [json.loads(line) for line in LABELLED.read_text().splitlines()[:COUNT]]
    problems = [{k: row[k] for k in ("question", "gold")} for row in rows]
    (folder / "problems.jsonl").write_text("\n".join(map(json.dumps, problems)))
    (saving,) = blocks("python")
    exec(saving, {"outputs": outputs()})
    first, *_ = blocks("yaml")
    config = first.replace("bfloat16", "float32")
    (folder / "study.yaml").write_text(config)
    (command,) = re.findall(r"^snakemake (.*)$", PAGE, re.MULTILINE)
    result = fresh.run(*shlex.split(command))
    assert result.returncode == 0, result.stdout[-4000:]
    (figure,) = re.findall(r"`(results/\S+\.svg)`", PAGE)
    assert (fresh.folder / figure).exists()
    traces = TRACES.read(fresh.study("mine/my-thoughts") / "traces.parquet")
    assert traces.height == COUNT
    assert traces["correct"].all()
    (log,) = re.findall(r"^cat (\S+)$", PAGE, re.MULTILINE)
    assert "gold from 'my/problems.jsonl: gold'" in (fresh.folder / log).read_text()
    detect(fresh)
    events = (folder / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in events] == [str(k) for k in range(COUNT)]


def detect(fresh):
    """What `make detect` of the page runs, with its variables."""
    (variables,) = re.findall(r"^make detect (.*)$", PAGE, re.MULTILINE)
    given = dict(pair.split("=", 1) for pair in shlex.split(variables))
    script = fresh.folder / "workflow/scripts/events/detect_file.py"
    done = subprocess.run(
        [
            *(sys.executable, str(script), f"--problems={given['PROBLEMS']}"),
            *("--", given["TRACES"], given["EVENTS"]),
        ],
        cwd=fresh.folder,
        env=os.environ | {"PYTHONPATH": str(fresh.folder / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "thought and answer from 'outputs.N.text'" in done.stderr


def test_a_folder_with_named_columns_runs_and_every_file_is_an_input(fresh):
    folder = fresh.folder / "my"
    folder.mkdir()
    rows = [json.loads(line) for line in LABELLED.read_text().splitlines()[:COUNT]]
    _, second = blocks("yaml")
    columns = yaml.safe_load(second)["datasets"]["my-thoughts"]["columns"]
    assert columns == {
        "question": "task.text",
        "gold": "task.result",
        "response": "samples.0",
    }
    for name, part in (("a", rows[:12]), ("b", rows[12:])):
        content = [
            {
                "task": {"text": row["question"], "result": row["gold"]},
                "samples": [f"{row['thought']}</think>It is {row['gold']}."],
            }
            for row in part
        ]
        (folder / f"{name}.json").write_text(json.dumps(content))

    def change(config):
        config["studies"] = [{"model": "pocket", "dataset": "mine"}]
        config["datasets"]["mine"] = {
            "source": "my",
            "thoughts": True,
            "columns": columns,
        }

    fresh.configure(change)
    study = "results/pocket/mine"
    result = fresh.run(f"{study}/traces.parquet", "--config", "shards=1")
    assert result.returncode == 0, result.stdout[-4000:]
    assert TRACES.read(fresh.folder / study / "traces.parquet").height == COUNT
    plan = fresh.ask("-n", f"{study}/traces.parquet")
    assert "Nothing to be done" in plan.stdout
    later = (fresh.folder / study / "traces.parquet").stat().st_mtime + 10
    (folder / "b.json").write_text(
        (folder / "b.json").read_text().replace("It is", "=> ")
    )
    os.utime(folder / "b.json", (later, later))
    plan = fresh.ask("-n", f"{study}/traces.parquet")
    assert "retrieve_traces" in plan.stdout


def test_the_forms_of_the_page_are_those_of_the_code():
    from doubletake.user_files import chat_messages, columns, completions

    for names in (
        *(columns.QUESTIONS, columns.PROMPTS, columns.GOLDS, columns.RESPONSES),
        *(columns.NESTED, columns.ROLES, chat_messages.REASONING),
        completions.SAMPLES,
    ):
        for name in names:
            assert f"`{name}`" in PAGE, name
