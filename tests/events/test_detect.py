"""From traces to the events table."""

import json

import polars as pl
import pytest
from thought_edges import edges_of

from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from events.detect import Settings, event_rows, main
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

PROMPT_LENGTH = 3
WORDS = {"backtrack": ["Wait"], "wrap_up": ["So"]}
TEXT = (
    "<think>\n5 + 3 = 8. So the answer is 8.\n\n"
    "Wait, let me check. 5 plus 3 is 8.\n\n So it is 8.</think>\n\n\\boxed{8}"
)


def offsets_of(text: str) -> list[int]:
    """Characters at which tokens start; a word's token holds the space before it."""
    starts = [0]
    for i in range(1, len(text)):
        space_before = text[i - 1] == " "
        if (
            text[i] == " "
            or (not text[i].isalnum() and not space_before)
            or (text[i].isalnum() and not text[i - 1].isalnum() and not space_before)
        ):
            starts.append(i)
    return starts


def trace_row(text: str, **changes) -> dict:
    offsets = offsets_of(text)
    marker = text.find("</think>")
    row = {
        "trace": "p/0",
        "problem": "p",
        "sample": 0,
        "prompt_ids": list(range(PROMPT_LENGTH)),
        "completion_ids": [7] * len(offsets),
        "logprobs": None,
        "text": text,
        "offsets": offsets,
        "thought_end": PROMPT_LENGTH + offsets.index(marker) if marker >= 0 else None,
        **edges_of(text),
        "finish": "stop",
        "answer": "8",
        "correct": True,
    }
    return row | changes


@pytest.fixture
def run(tmp_path):
    def run_on(traces: list[dict], detector: str = "rules") -> pl.DataFrame:
        problem = {"problem": "p", "question": "?", "gold": "8", "solution": "#### 8"}
        PROBLEMS.write(PROBLEMS.frame([problem]), tmp_path / "problems.parquet")
        TRACES.write(TRACES.frame(traces), tmp_path / "traces.parquet")
        main(
            problems_path=tmp_path / "problems.parquet",
            traces_path=tmp_path / "traces.parquet",
            events_path=tmp_path / "events.parquet",
            settings=Settings(detector, WORDS),
        )
        return EVENTS.read(tmp_path / "events.parquet")

    return run_on


def token_text(row: dict) -> str:
    bounds = [*offsets_of(TEXT), len(TEXT)]
    index = row["token"] - PROMPT_LENGTH
    return TEXT[bounds[index] : bounds[index + 1]]


def test_places_are_characters_of_the_completion_and_tokens_of_the_trace(run):
    rows = run([trace_row(TEXT)]).to_dicts()
    by_kind = {
        kind: [r for r in rows if r["kind"] == kind]
        for kind in ("arrival", "backtrack", "wrap_up")
    }
    assert [TEXT[r["start"] : r["end"]] for r in by_kind["arrival"]] == ["8", "8"]
    assert [token_text(r).strip() for r in by_kind["arrival"]] == ["8", "8"]
    (backtrack,) = by_kind["backtrack"]
    assert TEXT[backtrack["start"] : backtrack["end"]] == "Wait, let me check."
    assert token_text(backtrack) == "Wait"
    assert backtrack["cue_kind"] == "check"
    (wrap_up,) = by_kind["wrap_up"]
    assert token_text(wrap_up) == " So"
    assert all(r["is_gold"] and r["is_final"] for r in by_kind["arrival"])


def test_events_are_numbered_by_place(run):
    events = run([trace_row(TEXT)])
    assert events["event"].to_list() == list(range(events.height))
    assert events["start"].is_sorted()


def test_an_open_thought_is_read_to_the_end(run):
    text = TEXT.replace("</think>", "")
    events = run([trace_row(text, finish="length")])
    assert events.filter(kind="arrival").height == 2


def test_text_after_the_thought_changes_no_event(run):
    longer = TEXT + "\n\nWait, 5 + 3 = 9. So the answer is 9.</think>\\boxed{9}"
    assert run([trace_row(longer)]).equals(run([trace_row(TEXT)]))


def test_no_events_make_an_empty_table(run):
    assert run([trace_row("Hello there.", answer=None, correct=False)]).is_empty()


def test_the_string_detector_finds_every_occurrence(run):
    events = run([trace_row(TEXT)], detector="string")
    assert events.filter(kind="arrival").height == 4


def test_a_trace_without_its_problem_is_refused_by_name(run):
    with pytest.raises(InputError, match="q/0"):
        run([trace_row(TEXT, trace="q/0", problem="q")])


def test_an_unknown_detector_is_refused_by_name():
    with pytest.raises(InputError, match="magic"):
        Settings("magic", WORDS)


@pytest.mark.parametrize(
    ("kind", "sentence", "first"),
    [
        ("wrap_up", "**Final Answer**\nTom has \\boxed{8} pens.", "**"),
        ("wrap_up", "**So, the final answer is 8.**", "**"),
        ("wrap_up", "\\boxed{8}", "\\"),
        ("wrap_up", "\\[ \\boxed{8} \\]", "\\["),
        ("wrap_up", "$\\boxed{8}$", "$\\"),
        ("wrap_up", "- Therefore, Tom has 8 pens.", "-"),
        ("wrap_up", "1. Therefore, the final answer is 8.", "1"),
        ("wrap_up", "> The final answer is 8.", ">"),
        ("wrap_up", "### Final answer: 8", "###"),
        ("wrap_up", "*Therefore, the final answer is 8.*", "*"),
        ("wrap_up", "Therefore, the final answer is 8.", "Therefore"),
        ("backtrack", "- Wait, let me check that again.", "-"),
        ("backtrack", "**Wait**, let me check that again.", "**"),
        ("backtrack", "Wait, let me check that again.", "Wait"),
    ],
)
def test_a_sentence_begins_with_its_markup(real_tokenizer, kind, sentence, first):
    """The position before the first token is the last one that holds none of it."""
    text = f"<think>\n5 plus 3 is 8.\n\nSo Tom has 8 pens.\n\n{sentence}"
    ids = real_tokenizer.encode(text)
    decoded, offsets = real_tokenizer.decode(ids)
    row = {"text": decoded, "offsets": offsets, "prompt_ids": [0], "answer": "8"}
    row |= {"trace": "p/0", **edges_of(decoded)}
    problem = {"question": "How many pens has Tom?", "gold": "8"}
    events = event_rows(row, problem, Settings("rules", WORDS))
    (event,) = [found for found in events if found["kind"] == kind]
    place = event["token"] - 1
    assert text[: offsets[place]].endswith("\n\n")
    assert real_tokenizer.text_of(ids[place]) == first


@pytest.fixture(scope="module", params=["Llama-8B", "Qwen"])
def real_tokenizer(tokenizers_folder, request):
    folder = tokenizers_folder / f"DeepSeek-R1-Distill-{request.param}"
    return load_tokenizer(
        ModelSettings(str(folder), None, "float32", "cpu", "</think>", {})
    )


def test_no_position_of_a_real_thought_holds_a_part_of_its_sentence(
    data_folder, real_tokenizer
):
    lines = (data_folder / "labels/labelled_traces.jsonl").read_text("utf-8")
    marked, sentences = 0, 0
    for line in lines.splitlines():
        row = json.loads(line)
        text, offsets = real_tokenizer.decode(real_tokenizer.encode(row["thought"]))
        trace = {"text": text, "offsets": offsets, "prompt_ids": [], "answer": None}
        trace |= {"trace": row["id"], "thought_start": 0, "thought_stop": len(text)}
        for event in event_rows(trace, row, Settings("rules", WORDS)):
            if event["kind"] == "arrival":
                continue
            start, token = event["start"], event["token"]
            assert not text[start].isspace()
            assert offsets[token] <= start < [*offsets, len(text)][token + 1]
            assert not text[offsets[token] : start].strip()
            sentences += 1
            marked += not text[start].isalnum()
    assert sentences > 300
    assert marked > 20
