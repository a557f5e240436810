"""Labelled traces without a human reader: pocket thoughts with planted events.

Outputs
    labels: one JSON object per line: `id`, `model`, `question`, `gold`, `thought`,
        `answer` (the text after the thought), `arrivals` (each `end`, `value`) and
        `backtracks` (each `start`, `cue`, `kind`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.json_lines import write_rows
from doubletake.running.logs import job
from doubletake.stats.draws import generator
from pocket.planted_events import Thought
from pocket.problems import Problem, is_test_question, sample_problem
from pocket.thoughts import sample_thought

if TYPE_CHECKING:
    snakemake: Any

MODEL = "pocket language"


@dataclass(frozen=True)
class Settings:
    """Number and seed of the labelled traces."""

    traces: int
    """Number of labelled traces."""
    seed: int
    """Seed of problems and thoughts."""


def label_row(name: str, problem: Problem, thought: Thought) -> dict[str, Any]:
    """One labelled trace."""
    return {
        "id": name,
        "model": MODEL,
        "question": problem.question,
        "gold": str(problem.answer),
        "thought": thought.text,
        "answer": f"The answer is \\boxed{{{thought.answer}}}.",
        "arrivals": [
            {"end": item.end, "value": str(item.value)} for item in thought.arrivals
        ],
        "backtracks": [
            {"start": item.start, "cue": item.cue, "kind": item.kind}
            for item in thought.backtracks
        ],
    }


def label_rows(settings: Settings) -> list[dict[str, Any]]:
    """Labelled traces on different questions of the test split."""
    rng = generator("labels", settings.seed)
    rows: dict[str, dict[str, Any]] = {}
    while len(rows) < settings.traces:
        problem = sample_problem(rng)
        if is_test_question(problem.question) and problem.question not in rows:
            thought = sample_thought(problem, rng)
            rows[problem.question] = label_row(f"{len(rows):05d}", problem, thought)
    return list(rows.values())


def main(*, labels_path: Path, settings: Settings) -> None:
    """Draw problems and thoughts, write their labels."""
    write_rows(label_rows(settings), labels_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            labels_path=Path(snakemake.output.labels),
            settings=Settings(**snakemake.params.settings),
        )
