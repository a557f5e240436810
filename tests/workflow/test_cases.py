"""Inputs that an earlier version read wrongly, each with its right result.

They lie in the folder `cases` of the real data: thoughts between tags, answers and
flags of other types, an end marker without a slash, a template that closes the thought,
files of many forms, and line breaks where a thought is cut.
"""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from doubletake.model.exit_points import exit_points_of
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.running.errors import InputError
from doubletake.study import settings as studies
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from doubletake.user_files.reading import DatasetSettings
from events.detect import Settings, event_rows
from events.detect_file import main as detect_main
from problems.retrieve import main as retrieve_main
from problems.tables import PROBLEMS
from traces.retrieve import main as import_main
from traces.tables import TRACES

POCKET = Path(__file__).parents[2] / "resources/pocket"
LLAMA, QWEN = "DeepSeek-R1-Distill-Llama-8B", "DeepSeek-R1-Distill-Qwen"


@pytest.fixture
def case(data_folder, request) -> Path:
    """Folder of the case whose number ends the name of the test."""
    number = request.function.__name__.rpartition("_")[2]
    (folder,) = (data_folder / "cases").glob(f"{number}-*")
    return folder


def model(folder: Path, **changes) -> ModelSettings:
    return ModelSettings(str(folder), None, "float32", "cpu", None, {}, **changes)


def imported(path: Path, settings: ModelSettings, folder: Path, **keys):
    """Problems and traces of a file of thoughts."""
    source = DatasetSettings(str(path), thoughts=True, **keys)
    retrieve_main(problems_path=folder / "problems.parquet", settings=source)
    import_main(
        settings=source,
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        runs_path=folder / "runs.parquet",
        model=settings,
    )
    problems = PROBLEMS.read(folder / "problems.parquet")
    return problems, TRACES.read(folder / "traces.parquet")


def events_of(problems: pl.DataFrame, traces: pl.DataFrame) -> list[list[dict]]:
    by_id = {row["problem"]: row for row in problems.to_dicts()}
    settings = Settings("rules", {})
    return [
        event_rows(row, by_id[row["problem"]], settings)
        for row in traces.iter_rows(named=True)
    ]


def detected(path: Path, folder: Path) -> list[dict]:
    detect_main(
        thoughts_path=path, events_path=folder / "events.jsonl", detector="rules"
    )
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", ["pocket", LLAMA, QWEN])
def test_tags_around_a_thought_01(case, tmp_path, tokenizers_folder, name):
    folder = POCKET if name == "pocket" else tokenizers_folder / name
    problems, traces = imported(case / "thoughts.jsonl", model(folder), tmp_path)
    thoughts = [
        row["text"][row["thought_start"] : row["thought_stop"]]
        for row in traces.iter_rows(named=True)
    ]
    first = json.loads((case / "thoughts.jsonl").read_text().splitlines()[0])
    assert thoughts == [first["thought"]] * 5
    assert traces["thought_end"].null_count() == 0
    assert traces["answer"].to_list() == ["25"] * 5
    assert traces["correct"].all()
    rows = [line for line in map(json.loads, (case / "thoughts.jsonl").open())]
    found = detected(case / "thoughts.jsonl", tmp_path)
    for events, trace, file_events, row in zip(
        events_of(problems, traces), traces.to_dicts(), found, rows, strict=True
    ):
        for kind in ("arrival", "backtrack", "wrap_up"):
            in_table = [
                trace["text"][e["start"] : e["end"]]
                for e in events
                if e["kind"] == kind
            ]
            in_file = [
                row["thought"][e["start"] : e["end"]] for e in file_events[f"{kind}s"]
            ]
            assert in_table == in_file
            assert in_table or kind == "wrap_up"


def test_types_of_closed_and_answer_02(case, tmp_path):
    lines = (case / "thoughts.jsonl").read_text().splitlines()
    with pytest.raises(InputError, match="line 4: 'closed' is false, but there is an"):
        imported(case / "thoughts.jsonl", model(POCKET), tmp_path)
    usable = [line for number, line in enumerate(lines, 1) if number != 4]
    (tmp_path / "usable.jsonl").write_text("\n".join(usable))
    _, traces = imported(tmp_path / "usable.jsonl", model(POCKET), tmp_path)
    closed = [True, True, True, False, False, True]  # rows 1, 2, 3, 5, 6 and 7
    assert traces["thought_end"].is_not_null().to_list() == closed
    assert traces["correct"].to_list() == closed
    _, traces = imported(case / "thoughts.parquet", model(POCKET), tmp_path)
    assert traces["correct"].to_list() == [True, True]


def test_an_end_marker_without_slash_03(case, tmp_path, tokenizers_folder):
    entry = yaml.safe_load((case / "config.yaml").read_text())["models"]["smol"]
    marker = entry["end_of_thought"]
    folder = tokenizers_folder / LLAMA
    alone = ModelSettings(str(folder), None, "float32", "cpu", marker, {})
    with pytest.raises(InputError, match="set start_of_thought"):
        imported(case / "thoughts.jsonl", alone, tmp_path)
    for start in ("", "<jupyter_input>"):
        settings = ModelSettings(
            str(folder), None, "float32", "cpu", marker, {}, start_of_thought=start
        )
        problems, traces = imported(case / "thoughts.jsonl", settings, tmp_path)
        assert traces["correct"].to_list() == [True] * 3
        for events in events_of(problems, traces):
            kinds = [event["kind"] for event in events]
            assert (kinds.count("arrival"), kinds.count("backtrack")) == (2, 1)


def test_a_template_that_closes_the_thought_06(case, tmp_path, tokenizers_folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        content = (tokenizers_folder / QWEN / name).read_text()
        (tmp_path / name).write_text(content)
    template = (case / "model/chat_template.jinja").read_text()
    (tmp_path / "chat_template.jinja").write_text(template)
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
    (tmp_path / "model.safetensors").write_bytes(bytes([2, *7 * [0]]) + b"{}")
    config = yaml.safe_load((POCKET.parents[1] / "config/config.yaml").read_text())
    given = yaml.safe_load((case / "config.yaml").read_text())
    config["models"]["q"] = given["models"]["q"] | {"source": str(tmp_path)}
    config["studies"] = [{"model": "q", "dataset": "pocket-problems"}]
    sources = studies.Sources((POCKET.parents[1],))
    with pytest.raises(InputError, match=r"models\.q: .* already closes the thought"):
        studies.check(config, sources)
    off = ModelSettings(
        str(tmp_path),
        None,
        "float32",
        "cpu",
        None,
        given["models"]["q"]["template_arguments"],
    )
    with pytest.raises(InputError, match="already closes the thought"):
        _ = load_tokenizer(off).opening_left
    config["models"]["q"]["template_arguments"] = {}
    studies.check(config, sources)
    assert load_tokenizer(model(tmp_path)).opening_left == "<think>\n"


WITHOUT_GOLD = {"conversations", "messages", "vllm-offline"}
WITHOUT_QUESTION = {"no-question": "id, gold, thought, answer", "openai": "id, choices"}


def test_forms_of_files_07(case, tmp_path):
    paths = [path for path in sorted(case.iterdir()) if path.suffix != ".txt"]
    assert len(paths) == 17
    for path in paths:
        name = path.name.partition(".")[0]
        if name in WITHOUT_QUESTION:
            found = f"no 'question'; needed: .*found: {WITHOUT_QUESTION[name]};"
            with pytest.raises(InputError, match=rf"{path.name}, line 1: {found}"):
                detected(path, tmp_path)
            continue
        for events in detected(path, tmp_path):
            assert [a["value"] for a in events["arrivals"]] == ["25", "25"], path
            assert len(events["backtracks"]) == 1, path
        if name in WITHOUT_GOLD:
            with pytest.raises(
                InputError, match=r"line 1: no 'gold'; needed: .*found:"
            ):
                imported(path, model(POCKET), tmp_path)
            continue
        _, traces = imported(path, model(POCKET), tmp_path)
        assert traces["correct"].all(), path
        assert traces["thought_end"].null_count() == 0, path
        assert "\r" not in "".join(traces["text"])


def test_golds_from_a_file_of_problems_07(case, tmp_path):
    row = json.loads((case / "no-id.jsonl").read_text())
    problems = tmp_path / "problems.jsonl"
    problems.write_text(json.dumps({k: row[k] for k in ("question", "gold")}))
    for name in ("messages", "vllm-offline"):
        path = case / f"{name}.jsonl"
        _, traces = imported(path, model(POCKET), tmp_path, problems=str(problems))
        assert traces["correct"].to_list() == [True]


def test_line_breaks_where_a_thought_is_cut_24(case, tmp_path, tokenizers_folder):
    entry = yaml.safe_load((case / "config.yaml").read_text())["models"]["q"]
    settings = model(tokenizers_folder / QWEN)
    tokenizer = load_tokenizer(settings)
    problems, traces = imported(case / "thoughts.jsonl", settings, tmp_path)
    prompt = AnswerPrompt(tokenizer, entry["answer_prompt"], "}", set())
    stop = tokenizer.encode("." + prompt.text)
    endings = set()
    for trace, events in zip(
        traces.to_dicts(), events_of(problems, traces), strict=True
    ):
        arrivals = [event for event in events if event["kind"] == "arrival"]
        for point in exit_points_of(trace, arrivals, prompt)[1:]:
            kept = (trace["prompt_ids"] + trace["completion_ids"])[: point.cut]
            read = [*kept, *point.suffix]
            assert read[-len(stop) :] == stop
            endings.add(tuple(point.suffix))
    assert endings == {tuple(stop)}
