"""Are inserted mistakes noticed and mended?

In thoughts that are right so far one number is changed just before the next sentence,
and the thought is continued several times. The change is made on the stored tokens; no
other token is made again. Controls are the same thoughts unchanged, in other words, and
with a neutral sentence. Thoughts with a false equation of their own are continued after
it, as they are and with the right result. The same mistake is also continued with a
word after it, and as the words of the user.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: the study's thoughts (`TRACES`).
    events: their arrivals and backtracks (`EVENTS`).
    truth: `TRUTH`; it is empty if the thoughts are of no planted language.
    model: files of the model.

Outputs
    mistakes: one row per change and draw (`MISTAKES`).
    edits: one row per change (`EDITS`).
    boundaries: the next boundary of the planted language (`BOUNDARIES`).
    verification: characters and tokens of the changes, and repeated continuations
        (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row, run_row_on
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from mistakes.changes import Wording, nouns_of
from mistakes.names import BEFORE_TURN
from mistakes.plan import planned, thoughts_of
from mistakes.shard import Engine, Settings, Shard
from mistakes.sites import Thought, sites_of
from mistakes.tables import BOUNDARIES, EDITS, MISTAKES
from mistakes.verification_figures import Checks
from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.reading import language_slips
from truth.tables import TRUTH

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_mistakes")

STAGE = "mistakes"
FROM_A_FILE = "not measured: the thoughts come from a file, so they cannot be continued"


def has_slip(thought: Thought) -> bool:
    """Whether the planted language would write a slip at a place of a thought."""
    slips = language_slips(thought.drawn.question, thought.drawn.trace)
    own = [one.equation for one in sites_of(thought) if one.place in BEFORE_TURN]
    return any(e is not None and e.result.start in slips for e in own)


def not_continued(shard: str, dtype: str) -> pl.DataFrame:
    """The row of `RUNS` of a study whose thoughts come from a file."""
    logger.warning("%s", FROM_A_FILE)
    progress = Progress(0, "continuations")
    progress.close()
    return run_row_on(
        STAGE, shard, progress, torch.device("cpu"), dtype, 0, FROM_A_FILE
    )


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    events_path: Path,
    truth_path: Path,
    mistakes_path: Path,
    edits_path: Path,
    boundaries_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read, change and continue the shard's thoughts, write the tables."""
    traces = TRACES.read(traces_path)
    rows: list[dict[str, Any]] = []
    edits: list[dict[str, Any]] = []
    boundaries: list[dict[str, Any]] = []
    checks = Checks().figures(torch.float32)
    if traces["logprobs"].null_count():
        run = not_continued(shard, model.dtype)
    else:
        problems = PROBLEMS.read(problems_path)
        planted = not TRUTH.read(truth_path).is_empty()
        thoughts = thoughts_of(traces, problems, EVENTS.read(events_path))
        s = settings
        further = s.boundaries if planted else 0
        plan = planned(thoughts, s.thoughts, s.own, further, s.seed, has_slip)
        nouns = nouns_of(problems["question"].to_list())
        decoder = load_decoder(model)
        engine = Engine(
            decoder,
            load_tokenizer(model),
            Sampling(s.temperature, s.top_p, s.generation_seed),
            Progress(0, "continuations"),
        )
        wording = Wording(s.seed, s.filler, s.filler_at_answer, s.word, nouns, planted)
        work = Shard(shard, plan, engine, wording, s)
        rows, edits, boundaries = work.run(), work.edit_rows(), work.boundaries
        engine.progress.close()
        checks = work.checks.figures(decoder.dtype)
        note = "; ".join(work.notes)
        run = run_row(STAGE, shard, engine.progress, decoder, work.thoughts, note)
    VERIFICATION.write(verification_of(STAGE, checks), verification_path)
    RUNS.write(run, runs_path)
    EDITS.write(EDITS.frame(edits), edits_path)
    BOUNDARIES.write(BOUNDARIES.frame(boundaries), boundaries_path)
    MISTAKES.write(MISTAKES.frame(rows), mistakes_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            truth_path=Path(snakemake.input.truth),
            mistakes_path=Path(snakemake.output.mistakes),
            edits_path=Path(snakemake.output.edits),
            boundaries_path=Path(snakemake.output.boundaries),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
