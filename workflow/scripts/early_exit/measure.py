"""What does the model answer when its thought is cut after each arrival?

Exit k follows arrival k of a thought; exit 0 stands before the first thought token. The
thought is cut after the sentence of the arrival and closed with the answer prompt. Then
the model answers greedily. All exits of a trace share one prefill
(`early_exit.shared_prefill`). Some exits are computed again without this shortcut, and
the differences are written into a table.

Inputs
    problems: gold numbers (`PROBLEMS`).
    traces: thoughts as token ids, with the character of each token (`TRACES`).
    events: the arrivals (`EVENTS`).

Outputs
    exits: one row per trace and exit of the shard (`EARLY_EXIT`).
    verification: packed against plain forward passes, and how the retokenized end of a
        sentence changes the answers (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import (
    Verification,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from early_exit.exit_plans import CheckedExits, TracePlan, draw_checked_exits
from early_exit.exit_points import ExitPoint, exit_points_of, suffix_as_written
from early_exit.forced_answers import AnswerPrompt, answer_columns
from early_exit.shared_prefill import (
    Branch,
    Continuation,
    continue_branches,
    longest_sequence,
    replay_unpacked,
    tokens_computed,
)
from early_exit.tables import EARLY_EXIT
from early_exit.verification_figures import ReplayDifferences, RetokenizationEffect
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_early_exit")

STAGE = "early_exit"


@dataclass(frozen=True)
class Settings:
    """The part of the `early_exit` section that the computation reads."""

    answer_prompt: str
    """Text put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a forced answer."""
    max_answer_tokens: int
    """Longest forced answer, in tokens."""
    verification: Verification
    """How many exits of a shard are computed again without the shared prefill."""


class ExitMeasurement:
    """Computes the exits of a shard, trace by trace, and collects the tables' rows."""

    def __init__(
        self,
        decoder: Decoder,
        prompt: AnswerPrompt,
        max_answer_tokens: int,
    ) -> None:
        """Start with empty tables."""
        self.decoder, self.prompt = decoder, prompt
        self.max_answer_tokens = max_answer_tokens
        self.max_positions = decoder.max_positions
        self.rows: list[dict[str, Any]] = []
        self.differences = ReplayDifferences()
        self.retokenization = RetokenizationEffect()
        self.refused: list[str] = []

    def plan(
        self, trace: dict[str, Any], arrivals: list[dict[str, Any]]
    ) -> TracePlan | None:
        """The exits of one trace; None, with a warning, if they are too long."""
        points = exit_points_of(trace, arrivals, self.prompt)
        branches = [Branch(point.cut, point.suffix) for point in points]
        needed = longest_sequence(branches, self.max_answer_tokens)
        if needed > self.max_positions:
            self.refused.append(trace["trace"])
            logger.warning(
                "trace %s refused: its exits need %d tokens, the model attends to %d",
                trace["trace"],
                needed,
                self.max_positions,
            )
            return None
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        as_written = {
            point.number: Branch(point.sentence_end, suffix)
            for point in points
            if (suffix := suffix_as_written(ids, point, self.prompt)) is not None
        }
        self.retokenization.exits += len(points) - 1
        self.retokenization.changed += len(as_written)
        return TracePlan(trace, points, branches, as_written)

    def add(self, plan: TracePlan, gold: str, checked: CheckedExits) -> int:
        """Compute the exits of one trace; return the number of tokens computed.

        Args:
            plan: of the trace.
            gold: the gold number of its problem.
            checked: the exits to check.
        """
        trace, branches = plan.trace, plan.branches
        name, ids = trace["trace"], [*trace["prompt_ids"], *trace["completion_ids"]]
        as_written = {
            number: branch
            for number, branch in plan.as_written.items()
            if (name, number) in checked.as_written
        }
        continuations = continue_branches(
            self.decoder.hf,
            ids,
            [*branches, *as_written.values()],
            max_tokens=self.max_answer_tokens,
            stop=lambda _, tokens: self.prompt.ends(tokens),
        )
        of_exits = continuations[: len(branches)]
        answers: dict[int, dict[str, Any]] = {}
        for point, branch, packed in zip(plan.points, branches, of_exits, strict=True):
            answers[point.number] = answer_columns(packed, gold, self.prompt)
            self.rows.append(exit_row(name, point, answers[point.number]))
            if (name, point.number) in checked.replayed:
                self._replay(ids, branch, packed)
        for number, other in zip(
            as_written, continuations[len(branches) :], strict=True
        ):
            answer = answer_columns(other, gold, self.prompt)
            self.retokenization.compare(answers[number], answer)
        return tokens_computed(branches, of_exits)

    def _replay(self, ids: list[int], branch: Branch, packed: Continuation) -> None:
        """Compare a continuation with a plain forward pass."""
        plain, choices = replay_unpacked(self.decoder.hf, ids, branch, packed.tokens)
        self.differences.add(packed, plain, choices, self.prompt)

    @property
    def note(self) -> str:
        """Which traces were refused, for the table of runs."""
        if not self.refused:
            return ""
        names = ", ".join(self.refused)
        return (
            f"{len(self.refused)} trace(s) beyond {self.max_positions} tokens refused: "
            f"{names}"
        )


def exit_row(trace: str, point: ExitPoint, answer: dict[str, Any]) -> dict[str, Any]:
    """A row of `EARLY_EXIT`; `answer` holds the columns of the forced answer."""
    exit_columns = {
        "trace": trace,
        "exit": point.number,
        "tokens_before": point.tokens_before,
    }
    return exit_columns | answer


def measure_exits(
    decoder: Decoder,
    prompt: AnswerPrompt,
    traces: pl.DataFrame,
    events: pl.DataFrame,
    golds: dict[str, str],
    settings: Settings,
) -> tuple[ExitMeasurement, Progress]:
    """Compute all exits of these traces; `golds` are gold numbers by problem."""
    measurement = ExitMeasurement(decoder, prompt, settings.max_answer_tokens)
    arrivals = events.filter(pl.col("kind") == "arrival").partition_by(
        "trace", as_dict=True
    )
    plans = []
    for trace in traces.iter_rows(named=True):
        rows = arrivals.get((trace["trace"],))
        plan = measurement.plan(trace, [] if rows is None else rows.to_dicts())
        plans += [] if plan is None else [plan]
    checked = draw_checked_exits(
        plans, settings.max_answer_tokens, settings.verification
    )
    progress = Progress(traces.height, "traces")
    progress.update(len(measurement.refused))
    for plan in plans:
        tokens = measurement.add(plan, golds[plan.trace["problem"]], checked)
        progress.update(1, tokens)
    progress.close()
    return measurement, progress


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    events_path: Path,
    exits_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read the shard's traces, compute their exits, write the three tables."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    golds = dict(PROBLEMS.read(problems_path).select("problem", "gold").iter_rows())
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    prompt = AnswerPrompt(
        tokenizer,
        settings.answer_prompt,
        settings.answer_stop,
        decoder.stop_ids,
    )
    events = EVENTS.read(events_path)
    measured, progress = measure_exits(decoder, prompt, traces, events, golds, settings)
    figures = [
        *measured.differences.figures(decoder.dtype),
        *measured.retokenization.figures(),
    ]
    for item in figures:
        logger.info("verification: %s %s over %d", item.statistic, item.value, item.n)
    traces_measured = traces.height - len(measured.refused)
    run = run_row(STAGE, shard, progress, decoder, traces_measured, measured.note)
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(run, runs_path)
    EARLY_EXIT.write(EARLY_EXIT.frame(measured.rows), exits_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            exits_path=Path(snakemake.output.exits),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
