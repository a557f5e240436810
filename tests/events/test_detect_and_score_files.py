"""`make detect` and `make score`: files in, files and a table out, without a model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from detector import score_file
from detector.scores import METRICS
from doubletake.running.digests import SCRIPTS
from doubletake.running.errors import InputError
from doubletake.stats.intervals import IntervalSettings
from events import detect_file

SHIPPED = Path(__file__).parents[2] / "resources/pocket/labelled_traces.jsonl"
ROW = {
    "id": 7,
    "question": "What is 5 plus 3?",
    "thought": "5 + 3 = 8. Wait, let me check. 5 + 3 = 8.\n\nSo the answer is 8.",
}


def detected(tmp_path, *rows, detector="rules") -> list[dict]:
    thoughts, events = tmp_path / "thoughts.jsonl", tmp_path / "events.jsonl"
    thoughts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    detect_file.main(thoughts_path=thoughts, events_path=events, detector=detector)
    return [json.loads(line) for line in events.read_text().splitlines()]


def test_rows_have_the_promised_form(tmp_path):
    (row,) = detected(tmp_path, ROW | {"gold": "8", "answer": "It is \\boxed{9}."})
    assert list(row) == ["id", "arrivals", "backtracks", "wrap_ups"]
    assert row["id"] == 7
    assert row["arrivals"][0] == {
        "start": 8,
        "end": 9,
        "value": "8",
        "ordinal": 1,
        "is_gold": True,
        "is_final": False,
    }
    assert row["backtracks"] == [
        {"start": 11, "end": 30, "cue": "Wait", "kind": "check", "ordinal": 1}
    ]
    assert len(row["wrap_ups"]) == 1


def test_without_gold_and_answer_the_flags_are_null(tmp_path):
    (row,) = detected(tmp_path, ROW)
    flags = [(item["is_gold"], item["is_final"]) for item in row["arrivals"]]
    assert flags == [(None, None)] * 2


def test_the_command_says_what_it_could_read(tmp_path):
    thoughts = tmp_path / "thoughts.jsonl"
    german = ROW | {"thought": "5 + 3 = 8. Also ist die Antwort 8."}
    thoughts.write_text("".join(json.dumps(row) + "\n" for row in (ROW, german)))
    paths = [str(thoughts), str(tmp_path / "events.jsonl")]
    script = str(SCRIPTS / "events/detect_file.py")
    done = subprocess.run(
        [sys.executable, script, *paths], capture_output=True, text=True, check=True
    )
    assert "English and Chinese" in done.stdout
    assert "in 1 of 2 thoughts (50%)" in done.stdout


def test_awkward_thoughts_have_a_row_each(tmp_path):
    thoughts = ["", "<think>\r\n5 + 3 = 8.</think>8", "think\n8\nanswer\n8"]
    thoughts += ["Error code: 400"]
    rows = [ROW | {"id": i, "thought": text} for i, text in enumerate(thoughts)]
    assert [row["id"] for row in detected(tmp_path, *rows)] == [0, 1, 2, 3]


def test_half_a_character_is_refused_with_its_line(tmp_path):
    with pytest.raises(InputError, match="line 2: 'thought' holds half a character"):
        detected(tmp_path, ROW, ROW | {"thought": "\ud800 5 + 3 = 8."})


def test_a_gold_based_detector_needs_gold(tmp_path):
    with pytest.raises(InputError, match="line 1: no 'gold'"):
        detected(tmp_path, ROW, detector="markers")


def test_the_thoughts_are_not_overwritten(tmp_path):
    path = tmp_path / "thoughts.jsonl"
    path.write_text(json.dumps(ROW))
    with pytest.raises(InputError, match="name another file"):
        detect_file.main(thoughts_path=path, events_path=path, detector="rules")
    assert json.loads(path.read_text()) == ROW


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "thoughts.jsonl"
    path.write_text(json.dumps(ROW))
    gone = tmp_path / "no" / "events.jsonl"
    with pytest.raises(InputError, match=r"cannot write .*events\.jsonl: No such file"):
        detect_file.main(thoughts_path=path, events_path=gone, detector="rules")


def score(labels: Path, events: Path) -> list[str]:
    settings = IntervalSettings(least_problems=1)
    table = score_file.main(labels_path=labels, events_path=events, settings=settings)
    return table.splitlines()


def test_planted_events_are_found(tmp_path):
    events = tmp_path / "events.jsonl"
    detect_file.main(thoughts_path=SHIPPED, events_path=events, detector="rules")
    head, *rows = score(SHIPPED, events)
    assert head.split() == ["model", "traces", "labelled", "found", *METRICS]
    assert [row.split()[0] for row in rows] == ["arrivals", "backtracks"]
    assert all(row.count("1.000 (") == row.count("-1.000)") == 3 for row in rows)


def test_scores_of_two_models_come_after_those_of_all(tmp_path):
    labels, events = tmp_path / "labels.jsonl", tmp_path / "events.jsonl"
    rows = [
        {"id": name, "model": name, "arrivals": [{"end": 5, "value": 1}]}
        | {"backtracks": []}
        for name in "ab"
    ]
    labels.write_text("\n".join(map(json.dumps, rows)))
    rows[1]["arrivals"] = []
    events.write_text("\n".join(map(json.dumps, rows)))
    table = [line.split() for line in score(labels, events)]
    assert [line[1] for line in table[1:]] == ["all", "all", "a", "a", "b", "b"]
    assert table[1][2:6] == ["2", "2", "1", "1.000"]
    assert table[5][2:6] == ["1", "1", "0", "-"]
    assert table[2][-5:] == ["-", "-", "1.000", "(not", "checked)"]


@pytest.mark.parametrize(
    ("goal", "given", "message"),
    [
        ("detect", [], "make detect needs TRACES=in.jsonl EVENTS=out.jsonl"),
        ("detect", ["TRACES=a.jsonl"], "make detect needs TRACES=in.jsonl EVENTS="),
        ("score", ["EVENTS=a.jsonl"], "make score needs LABELS=in.jsonl EVENTS="),
        (
            "detect",
            ["TRACES=a b", "EVENTS=c"],
            '--columns="$COLUMNS" --problems="$PROBLEMS" -- "$TRACES" "$EVENTS"',
        ),
        ("score", ["LABELS=a", "EVENTS=b"], 'score_file.py -- "$LABELS" "$EVENTS"'),
        ("stop", ["TRACES=a"], "make stop needs TRACES=in.jsonl MODEL=folder"),
        ("stop", ["TRACES=a $(x)", "MODEL=b"], '--cores="all" -- "$TRACES" "$MODEL"'),
    ],
)
def test_the_make_targets(goal, given, message):
    done = subprocess.run(
        ["make", "--dry-run", goal, *given],
        cwd=SHIPPED.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert message in done.stdout + done.stderr
    assert (done.returncode == 0) is ("needs" not in message)


@pytest.mark.parametrize("script", ["events/detect_file.py", "detector/score_file.py"])
def test_bad_input_is_one_line_and_status_1(tmp_path, script):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": 1}\nnot json\n')
    done = subprocess.run(
        [sys.executable, SCRIPTS / script, bad, tmp_path / "other.jsonl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {bad}, line 1: no ")
