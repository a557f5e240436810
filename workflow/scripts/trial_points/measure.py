"""What would the model answer at each place where a rule may stop its thought?

A trial point is a cut of a thought, in the thought's own tokens: its start, ends of
sentences and paragraphs, backtrack cues, arrivals, every n-th token, its end. Cues and
arrivals are those of a detector that reads no further. At each point the thought is
closed with the answer prompt, and the model answers greedily. All points of a trace
share one prefill, and several traces are computed together. Some trials are computed
again in plain passes, and the differences are written into a table. The residual
stream before arrivals and cues is kept for probes (`exit_probes`).

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: thoughts as token ids, with the character of each token (`TRACES`).

Outputs
    points: one row per trace and point of the shard (`TRIAL_POINTS`).
    states, state_rows: the residual stream before arrivals and cues
        (`trial_points.kept_states`), and which row holds which point (`TRIAL_STATES`).
    verification: packed trials against plain forward passes (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.exit_rules.trial_plans import TrialPlan, plan_of
from doubletake.exit_rules.trials import Trials
from doubletake.model.branch_rows import (
    continue_branches,
    replay_unpacked,
    tokens_computed,
)
from doubletake.model.branches import longest_sequence
from doubletake.model.decoder import Decoder
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Verification, drawn, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.grading import Task
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES
from trial_points.kept_states import (
    StateWriter,
    boundaries_at,
    open_state_writer,
    state_rows,
)
from trial_points.reading import states_origin
from trial_points.tables import TRIAL_POINTS, TRIAL_STATES
from trial_points.verification_figures import TrialDifferences

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_trial_points")

STAGE = "trial_points"


@dataclass(frozen=True)
class Settings:
    """The `trial_points` section, and what it takes from other sections."""

    kinds: list[str]
    """Kinds of points, start and end left aside."""
    every: int
    """Distance of the points of the kind `every`, in tokens."""
    most_points: int | None
    """Largest number of points of a thought; None: no limit."""
    max_tokens: int
    """Longest trial answer, in tokens."""
    answer_prompt: str
    """Text put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a trial answer."""
    layers: list[float]
    """Shares of the depth at which the residual stream is kept."""
    batch_memory: float
    """Memory for a batch of traces in addition to the model, in GiB."""
    verification: Verification
    """How many points of a shard are computed again in plain passes."""


@dataclass
class Measured:
    """What the trials of a shard say."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `TRIAL_POINTS`."""
    differences: TrialDifferences = field(default_factory=TrialDifferences)
    refused: list[str] = field(default_factory=list)
    """Traces whose trials are too long for the model."""
    limited: int = 0
    """Traces with points that the limit leaves out."""
    left_out: int = 0
    """Number of these points."""

    @property
    def note(self) -> str:
        """What was refused and left out, for the table of runs."""
        notes = []
        if self.refused:
            names = ", ".join(self.refused)
            notes.append(f"{len(self.refused)} trace(s) refused as too long: {names}")
        if self.left_out:
            notes.append(
                f"most_points leaves out {self.left_out} points of {self.limited} "
                "trace(s)"
            )
        return "; ".join(notes)


def plans_of(
    decoder: Decoder,
    trials: Trials,
    traces: pl.DataFrame,
    questions: dict[str, str],
    settings: Settings,
    measured: Measured,
) -> list[TrialPlan]:
    """The points of all traces; too long ones are refused with a warning."""
    plans = []
    boundaries = boundaries_at(settings.layers, decoder.n_layers)
    for trace in traces.iter_rows(named=True):
        plan = plan_of(
            trace,
            questions[trace["problem"]],
            trials,
            kinds=settings.kinds,
            every=settings.every,
            most_points=settings.most_points,
            boundaries=boundaries,
        )
        needed = longest_sequence(plan.branches)
        if needed > decoder.max_positions:
            measured.refused.append(trace["trace"])
            logger.warning(
                "trace %s refused: its trials need %d tokens, the model attends to %d",
                trace["trace"],
                needed,
                decoder.max_positions,
            )
            continue
        left_out = plan.rows[0]["left_out"]
        measured.left_out += left_out
        measured.limited += left_out > 0
        plans.append(plan)
    if measured.left_out:
        logger.warning("%s", measured.note)
    return plans


def measure_points(
    decoder: Decoder,
    trials: Trials,
    plans: list[TrialPlan],
    problems: dict[str, tuple[str, str]],
    settings: Settings,
    measured: Measured,
    states: StateWriter,
    progress: Progress,
) -> None:
    """Compute all trials of these plans; `problems` are question and gold by id."""
    work = sum(plan.tokens for plan in plans)
    cases = [case for plan in plans for case in plan.cases]
    checked = {case.name for case in drawn(cases, work, settings.verification)}
    prefixes = [plan.prefix for plan in plans]
    for number, continuations in continue_branches(
        decoder, prefixes, settings.batch_memory
    ):
        plan = plans[number]
        states.write(number, continuations)
        question, gold = problems[plan.trace["problem"]]
        thought = ""  # up to the point
        for row, branch, continuation in zip(
            plan.rows, plan.branches, continuations, strict=True
        ):
            thought += row["chunk"]
            task = Task(gold, question, thought)
            measured.rows.append(row | trials.columns(continuation, task))
            if (row["trace"], row["point"]) in checked:
                plain, choices = replay_unpacked(
                    decoder, prefixes[number].ids, branch, continuation.tokens
                )
                measured.differences.add(continuation, plain, choices)
        progress.update(1, tokens_computed(plan.branches, continuations))
    progress.close()


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    points_path: Path,
    states_path: Path,
    state_rows_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read the shard's traces, compute their trials, write tables and states."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    columns = PROBLEMS.read(problems_path).select("problem", "question", "gold")
    problems = {name: (question, gold) for name, question, gold in columns.iter_rows()}
    questions = {name: question for name, (question, _) in problems.items()}
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    prompt = AnswerPrompt(
        tokenizer, settings.answer_prompt, settings.answer_stop, decoder.stop_ids
    )
    trials = Trials(prompt, settings.max_tokens)
    measured, progress = Measured(), Progress(traces.height, "traces")
    plans = plans_of(decoder, trials, traces, questions, settings, measured)
    progress.update(len(measured.refused))
    boundaries = boundaries_at(settings.layers, decoder.n_layers)
    origin = states_origin(model, traces_path)
    with open_state_writer(
        states_path, origin, shard, decoder, boundaries, plans
    ) as states:
        measure_points(
            decoder, trials, plans, problems, settings, measured, states, progress
        )
    figures = measured.differences.figures(decoder.dtype)
    for item in figures:
        logger.info("verification: %s %s over %d", item.statistic, item.value, item.n)
    done = traces.height - len(measured.refused)
    run = run_row(STAGE, shard, progress, decoder, done, measured.note)
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(run, runs_path)
    TRIAL_STATES.write(state_rows(plans, shard), state_rows_path)
    TRIAL_POINTS.write(TRIAL_POINTS.frame(measured.rows), points_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            points_path=Path(snakemake.output.points),
            states_path=Path(snakemake.output.states),
            state_rows_path=Path(snakemake.output.state_rows),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
