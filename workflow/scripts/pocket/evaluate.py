"""How good is the pocket model on problems that it has never seen?

The script samples one thought per test problem. It counts right answers, closed
thoughts, arrivals, wrong first derivations and their corrections. It also counts how
often the model knows the answer without a thought.

Inputs
    model: the model's folder.

Outputs
    problems: the test problems in GSM8K's format, one JSON object per line.
    metrics: the measured numbers, JSON.
    traces: the sampled texts, one JSON object per line.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from doubletake.model.devices import choose_device
from doubletake.running.logs import job
from doubletake.stats.draws import generator
from pocket import phrases
from pocket.problems import Problem, gsm8k_row, is_test_question, sample_problem
from pocket.tokenizer import ANSWER_PROMPT, END_OF_THOUGHT

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("evaluate_pocket")

TURN_SENTENCE = re.compile(
    "|".join(
        re.escape(text).replace(r"\{\}", ".+")
        for text, _ in (
            *(*phrases.NOTICED, *phrases.DOUBTS, *phrases.CHECKS, *phrases.INVERSES),
            *(*phrases.ALTERNATIVES, *phrases.REREADS),
        )
    )
)
WRAP_UP = re.compile(
    "|".join(re.escape(text).replace(r"\{\}", r"\d+") for text, _ in phrases.WRAP_UPS)
)
CONCLUSION = re.compile(r"So \D+ (\d+)\b[^.]*\.")
RESULT = re.compile(r"= (\d+)(?:, yes|, not \d+)?\.")
BOXED = re.compile(r"\\boxed\{(\d+)\}")


@dataclass(frozen=True)
class Settings:
    """Settings of the measurement."""

    problems: int
    """Number of test problems."""
    seed: int
    """Seed of the test problems and of the sampling."""
    temperature: float
    """Sampling temperature."""
    top_p: float
    """Share of the probability that sampling keeps (nucleus sampling)."""
    max_new_tokens: int
    """Length limit of a completion, in tokens."""
    batch: int
    """Number of problems that are sampled together."""


@dataclass(frozen=True)
class Reading:
    """Arrivals and backtracks that the parser reads in a pocket thought."""

    values: tuple[int, ...]
    """The value of each arrival."""
    backtracks: int
    """Number of sentences that turn back."""


def sample_test_problems(count: int, seed: int) -> list[Problem]:
    """Different problems of the test split."""
    rng = generator("test", seed)
    problems: dict[str, Problem] = {}
    while len(problems) < count:
        problem = sample_problem(rng)
        if is_test_question(problem.question):
            problems.setdefault(problem.question, problem)
    return list(problems.values())


def read_thought(thought: str) -> Reading:
    """Arrivals and backtracks of a thought of the pocket language.

    Each sentence that turns back begins a turn. The arrival of a turn is the value of
    its concluding sentence, else of its last equation. A turn with neither has no
    arrival. A wrap-up is not an arrival.
    """
    turns: list[list[str]] = [[]]
    for sentence in re.split(r"(?<=[.?])\s+", thought.strip()):
        if TURN_SENTENCE.fullmatch(sentence):
            turns.append([])
        elif not WRAP_UP.fullmatch(sentence):
            turns[-1].append(sentence)
    values: list[int] = []
    for turn in turns:
        concluded = [m for s in turn if (m := CONCLUSION.fullmatch(s))]
        worked = [m for s in turn if (m := RESULT.search(s))]
        if concluded or worked:
            values.append(int((concluded or worked)[-1].group(1)))
    return Reading(tuple(values), len(turns) - 1)


def generate(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    prompts: Sequence[list[int]],
    settings: Settings,
    **options: Any,
) -> list[list[int]]:
    """New tokens of every prompt, up to and with the end-of-sentence token, if any."""
    outputs: list[list[int]] = []
    eos = tokenizer.eos_token_id
    for first in range(0, len(prompts), settings.batch):
        batch = prompts[first : first + settings.batch]
        width = max(map(len, batch))
        # Padding on the left puts the newest token of every row in the last column.
        ids = torch.tensor([[eos] * (width - len(p)) + p for p in batch])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in batch])
        made = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            pad_token_id=eos,
            **options,
        )
        for row in made[:, width:].tolist():
            outputs.append(row[: row.index(eos) + 1] if eos in row else row)
        logger.info("%d of %d problems", len(outputs), len(prompts))
    return outputs


def boxed(text: str) -> int | None:
    """The last boxed number; None without a boxed number."""
    numbers = BOXED.findall(text)
    return int(numbers[-1]) if numbers else None


def share(flags: Sequence[bool]) -> float | None:
    """Share of true flags; None without flags."""
    return round(mean(flags), 4) if flags else None


def measure(
    problems: Sequence[Problem],
    texts: Sequence[str],
    lengths: Sequence[int],
    forced: Sequence[int | None],
) -> dict[str, Any]:
    """The metrics of the sampled texts and of the answers without a thought.

    Args:
        problems: that the model answers.
        texts: its completions.
        lengths: of the completions, in tokens.
        forced: its answers without a thought.
    """
    closed = [END_OF_THOUGHT in text for text in texts]
    readings = [read_thought(text.split(END_OF_THOUGHT)[0]) for text in texts]
    counts = [len(reading.values) for reading in readings]
    answers = [problem.answer for problem in problems]
    after = [boxed(t.split(END_OF_THOUGHT)[-1]) if END_OF_THOUGHT in t else None
             for t in texts]  # fmt: skip
    right = [value == gold for value, gold in zip(after, answers, strict=True)]
    started_wrong = [
        bool(reading.values) and reading.values[0] != gold
        for reading, gold in zip(readings, answers, strict=True)
    ]
    turns = Counter(reading.backtracks for reading in readings)
    return {
        "problems": len(problems),
        "accuracy": share(right),
        "closed": share(closed),
        "two_or_more_arrivals": share([count >= 2 for count in counts]),
        "four_or_more_arrivals": share([count >= 4 for count in counts]),
        "first_derivation_wrong": share(started_wrong),
        "mended_of_wrong": share(
            [ok for ok, wrong in zip(right, started_wrong, strict=True) if wrong]
        ),
        "kept_of_right": share(
            [ok for ok, wrong in zip(right, started_wrong, strict=True) if not wrong]
        ),
        "forced_accuracy": share(
            [value == gold for value, gold in zip(forced, answers, strict=True)]
        ),
        "backtracks": {str(n): turns[n] for n in sorted(turns)},
        "mean_tokens": round(mean(lengths), 1),
        "longest_tokens": max(lengths),
    }


def evaluate(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    settings: Settings,
) -> tuple[dict[str, Any], list[str]]:
    """The metrics and the sampled texts."""
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": problem.question}],
            add_generation_prompt=True,
            return_dict=True,
        )["input_ids"]
        for problem in problems
    ]
    torch.manual_seed(settings.seed)
    made = generate(
        model,
        tokenizer,
        prompts,
        settings,
        do_sample=True,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=0,
        max_new_tokens=settings.max_new_tokens,
    )
    answer_prompt = tokenizer.encode(ANSWER_PROMPT, add_special_tokens=False)
    without_thought = [prompt + answer_prompt for prompt in prompts]
    direct = generate(
        model, tokenizer, without_thought, settings, do_sample=False, max_new_tokens=3
    )
    texts = tokenizer.batch_decode(made, skip_special_tokens=True)
    forced = [
        boxed("\\boxed{" + text)
        for text in tokenizer.batch_decode(direct, skip_special_tokens=True)
    ]
    return measure(problems, texts, list(map(len, made)), forced), texts


def write_lines(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One JSON object per line."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def main(
    *,
    model_path: Path,
    problems_path: Path,
    metrics_path: Path,
    traces_path: Path,
    settings: Settings,
) -> None:
    """Draw the test problems, sample thoughts, count, write."""
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype="float32").eval()
    model.to(choose_device("auto"))
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    problems = sample_test_problems(settings.problems, settings.seed)
    write_lines([gsm8k_row(problem) for problem in problems], problems_path)
    metrics, texts = evaluate(model, tokenizer, problems, settings)
    logger.info("%s", json.dumps(metrics))
    metrics_path.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    rows = [
        {"question": problem.question, "gold": problem.answer, "text": text}
        for problem, text in zip(problems, texts, strict=True)
    ]
    write_lines(rows, traces_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            model_path=Path(snakemake.input.model),
            problems_path=Path(snakemake.output.problems),
            metrics_path=Path(snakemake.output.metrics),
            traces_path=Path(snakemake.output.traces),
            settings=Settings(**snakemake.params.settings),
        )
