"""Does the pocket model do what its language plants, on problems it has never seen?

The script samples one thought per test problem, reads it, and cuts it at its arrivals.
It measures answers, arrivals and turns; what happens at boundaries, by cause; which
words lead at turns; and how sure and how right the answers at exits are.

Inputs
    model: the model's folder.

Outputs
    problems: the test problems in GSM8K's format, one JSON object per line.
    metrics: the measured numbers, JSON.
    traces: the sampled texts, one JSON object per line.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from doubletake.model.devices import choose_device
from doubletake.running.json_lines import write_rows
from doubletake.running.logs import job
from doubletake.stats.draws import generator
from pocket.exit_metrics import (
    exit_metrics,
    exits_at_arrivals,
    exits_without_thought,
)
from pocket.leading_words import leading_word_metrics, leading_words
from pocket.problems import Problem, gsm8k_row, is_test_question, sample_problem
from pocket.sampled_thoughts import Sample, Sampling, sample_thoughts
from pocket.thought_metrics import answer_metrics, boundary_metrics
from pocket.wanted import measured_table

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("evaluate_pocket")


@dataclass(frozen=True)
class Settings(Sampling):
    """Settings of the measurement; `seed` is also the seed of the test problems."""

    problems: int
    """Number of test problems with a sampled thought."""
    problems_without_thought: int
    """Number of test problems that are answered at exit 0; the first ones are those
    with a thought."""


def sample_test_problems(count: int, seed: int) -> list[Problem]:
    """Different problems of the test split; fewer are the first of more."""
    rng = generator("test", seed)
    problems: dict[str, Problem] = {}
    while len(problems) < count:
        problem = sample_problem(rng)
        if is_test_question(problem.question):
            problems.setdefault(problem.question, problem)
    return list(problems.values())


def evaluate(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    settings: Settings,
) -> tuple[dict[str, Any], list[Sample]]:
    """The metrics and the sampled thoughts.

    Args:
        model: the pocket model.
        tokenizer: its tokenizer.
        problems: test problems; the first ones get a thought.
        settings: numbers of problems, and how thoughts are sampled.
    """
    asked = problems[: settings.problems]
    samples = sample_thoughts(model, tokenizer, asked, settings)
    first = exits_without_thought(model, tokenizer, asked)
    more = exits_without_thought(model, tokenizer, problems[len(asked) :])
    later = exits_at_arrivals(model, tokenizer, samples)
    exits = {
        "exit_0": first + more,
        "exit_0_of_the_thoughts": first,
        "later": later,
        "all": first + later,
    }
    metrics = {
        "problems": len(asked),
        "thoughts": answer_metrics(samples),
        "boundaries": boundary_metrics(samples),
        "leading_words": leading_word_metrics(leading_words(model, tokenizer, samples)),
        "exits": {
            name: exit_metrics(group, settings.seed) for name, group in exits.items()
        },
    }
    return metrics, samples


def main(
    *,
    model_path: Path,
    problems_path: Path,
    metrics_path: Path,
    traces_path: Path,
    settings: Settings,
) -> None:
    """Draw the test problems, sample thoughts, measure, write."""
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype="float32").eval()
    model.to(choose_device("auto"))
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    count = max(settings.problems, settings.problems_without_thought)
    problems = sample_test_problems(count, settings.seed)
    metrics, samples = evaluate(model, tokenizer, problems, settings)
    logger.info("measured:\n%s", measured_table(metrics))
    metrics_path.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_rows([gsm8k_row(sample.problem) for sample in samples], problems_path)
    rows = [
        {"question": s.problem.question, "gold": s.problem.answer, "text": s.text}
        for s in samples
    ]
    write_rows(rows, traces_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            model_path=Path(snakemake.input.model),
            problems_path=Path(snakemake.output.problems),
            metrics_path=Path(snakemake.output.metrics),
            traces_path=Path(snakemake.output.traces),
            settings=Settings(**snakemake.params.settings),
        )
