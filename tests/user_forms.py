"""Files of thoughts in the forms that people have, made from known thoughts."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from doubletake.text.known_formats import KNOWN_FORMATS
from doubletake.text.thought_format import ThoughtFormat

THINK = KNOWN_FORMATS[0]
Row = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A thought whose parts are known."""

    question: str
    gold: str
    thought: str
    answer: str


def text_of(known: Known, form: ThoughtFormat = THINK) -> str:
    """Thought and answer in one text."""
    return form.opening + known.thought + form.closing + known.answer


def plain(known: Known, form: ThoughtFormat) -> Row:
    return {
        "question": known.question,
        "gold": known.gold,
        "thought": known.thought,
        "answer": known.answer,
    }


def one_text(known: Known, form: ThoughtFormat) -> Row:
    return {
        "prompt": known.question,
        "response": text_of(known, form),
        "answer": known.gold,
    }


def reasoning(known: Known, form: ThoughtFormat) -> Row:
    return {
        "problem": known.question,
        "reasoning_content": known.thought,
        "content": known.answer,
        "answer": known.gold,
    }


def chat(known: Known, form: ThoughtFormat) -> Row:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": known.question},
        {"role": "assistant", "content": text_of(known, form)},
    ]
    return {"messages": messages, "target": known.gold}


def chat_with_reasoning(known: Known, form: ThoughtFormat) -> Row:
    model = {"role": "assistant", "content": known.answer, "reasoning": known.thought}
    return {
        "messages": [{"role": "user", "content": known.question}, model],
        "solution": known.gold,
    }


def chat_in_parts(known: Known, form: ThoughtFormat) -> Row:
    parts = [
        {"type": "thinking", "thinking": known.thought},
        {"type": "text", "text": known.answer},
    ]
    question = [{"type": "text", "text": known.question}]
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": parts},
    ]
    return {"messages": messages, "gold": known.gold}


def conversation(known: Known, form: ThoughtFormat) -> Row:
    turns = [
        {"from": "human", "value": known.question},
        {"from": "gpt", "value": text_of(known, form)},
    ]
    return {"conversations": turns, "ground_truth": known.gold}


def vllm(known: Known, form: ThoughtFormat) -> Row:
    """As `dataclasses.asdict` of vLLM's offline output, with the gold added."""
    prompt = f"<|im_start|>user\n{known.question}<|im_end|>\n<|im_start|>assistant\n"
    prompt += form.opening
    output = {
        "index": 0,
        "text": text_of(known, form).removeprefix(form.opening),
        "token_ids": [1, 2],
        "finish_reason": "stop",
        "stop_reason": None,
    }
    return {
        "request_id": "0",
        "prompt": prompt,
        "outputs": [output],
        "finished": True,
        "gold": known.gold,
    }


def openai(known: Known, form: ThoughtFormat) -> Row:
    message = {
        "role": "assistant",
        "content": known.answer,
        "reasoning_content": known.thought,
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [choice],
        "question": known.question,
        "gold": known.gold,
    }


def batch(known: Known, form: ThoughtFormat) -> Row:
    """A line of a batch's output, beside its request."""
    body = {
        "choices": [
            {
                "message": {"role": "assistant", "content": text_of(known, form)},
                "finish_reason": "stop",
            }
        ]
    }
    return {
        "id": "batch_req_1",
        "custom_id": "a",
        "body": {"messages": [{"role": "user", "content": known.question}]},
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
        "gold": known.gold,
    }


def lm_eval(known: Known, form: ThoughtFormat) -> Row:
    return {
        "doc_id": 0,
        "doc": {"question": known.question, "answer": f"So.\n#### {known.gold}"},
        "target": f"So.\n#### {known.gold}",
        "arguments": {
            "gen_args_0": {"arg_0": known.question, "arg_1": {"temperature": 0.6}}
        },
        "resps": [[text_of(known, form)]],
        "filtered_resps": [known.gold],
        "exact_match": 1.0,
    }


FLAT: tuple[Callable[[Known, ThoughtFormat], Row], ...] = (plain, one_text, reasoning)
"""Forms whose values are texts, which a CSV file can hold."""
NESTED = (
    *(chat, chat_with_reasoning, chat_in_parts, conversation),
    *(vllm, openai, batch, lm_eval),
)
FORMS = (*FLAT, *NESTED)


def write_lines(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_array(path: Path, rows: Sequence[Row]) -> None:
    path.write_text(json.dumps(list(rows), indent=1, ensure_ascii=False))


def write_csv(path: Path, rows: Sequence[Row], delimiter: str = ",") -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: Sequence[Row]) -> None:
    pl.DataFrame(list(rows), infer_schema_length=None).write_parquet(path)


WRITERS = {
    ".jsonl": write_lines,
    ".json": write_array,
    ".parquet": write_parquet,
    ".csv": write_csv,
}


def gzipped(path: Path) -> Path:
    """The file compressed, with `.gz` after its name; the file itself is removed."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="w") as file:
        file.write(path.read_bytes())
    target = path.with_name(f"{path.name}.gz")
    target.write_bytes(buffer.getvalue())
    path.unlink()
    return target
