"""What does the model answer with something else in place of its thought?

Thoughts are drawn by seed. In place of each stands filler, its own sentences in another
order, or the thought of another problem that is as long. The model is then made to
answer, as at the trial points. Filler is read once for all of its lengths. What the
model answers with no thought and after the whole one stands in `trial_points`; both are
computed again for some thoughts, and must agree.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: thoughts as token ids (`TRACES`).
    events: the arrivals (`EVENTS`).
    points: answers at the start and the end of the thoughts (`TRIAL_POINTS`).

Outputs
    answers: one row per thought and context (`FAITHFULNESS`).
    verification: packed against plain passes, and against the trial points
        (`VERIFICATION`).
    runs: `RUNS`; empty if there is no thought to replace.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from faithfulness.drawn import usable
from faithfulness.measurement import Measurement, Settings
from faithfulness.tables import FAITHFULNESS
from problems.tables import PROBLEMS
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_faithfulness")

STAGE = "faithfulness"


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    events_path: Path,
    points_path: Path,
    answers_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, force the answers, write the tables."""
    traces, events = TRACES.read(traces_path), EVENTS.read(events_path)
    points = TRIAL_POINTS.read(points_path)
    columns = PROBLEMS.read(problems_path).select("problem", "question", "gold")
    problems = {name: (question, gold) for name, question, gold in columns.iter_rows()}
    rows: list[dict[str, Any]] = []
    checks, runs = VERIFICATION.frame([]), RUNS.frame([])
    if usable(traces).is_empty():
        logger.info("nothing to measure: no closed thought with an answer")
    else:
        tokenizer, decoder = load_tokenizer(model), load_decoder(model)
        prompt = AnswerPrompt(
            tokenizer, settings.answer_prompt, settings.answer_stop, decoder.stop_ids
        )
        measured = Measurement(decoder, prompt, settings, problems)
        contexts = measured.plan(traces, events)
        progress = Progress(len(contexts), "contexts")
        measured.measure(contexts, progress)
        measured.rebuild(contexts, points, progress)
        progress.close()
        rows = measured.rows
        figures = measured.differences.figures(decoder.dtype)
        for item in figures:
            logger.info("verification: %s %s of %d", item.check, item.value, item.n)
        checks = verification_of(STAGE, figures)
        count = len({row["trace"] for row in rows})
        note = f"refused as too long: {', '.join(measured.refused)}"
        note = note if measured.refused else ""
        runs = run_row(STAGE, ONE_SHARD, progress, decoder, count, note)
    VERIFICATION.write(checks, verification_path)
    RUNS.write(runs, runs_path)
    table = FAITHFULNESS.frame(rows).sort("trace", "context", "share")
    FAITHFULNESS.write(table, answers_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            points_path=Path(snakemake.input.points),
            answers_path=Path(snakemake.output.answers),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
