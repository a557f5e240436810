"""What does the model answer when its thought is cut at each place it has an answer?

For every arrival k of a thought, and for k = 0 before the first thought token: cut
after the arrival's sentence, close the thought with the answer prompt, and let the
model answer greedily. All exits of a trace share one prefill (`early_exit.branches`);
some exits are computed again without it, and the differences go into a table.

Inputs
    problems: gold numbers (`schemas.PROBLEMS`).
    traces: thoughts as token ids, with the character of each token (`schemas.TRACES`).
    events: the arrivals (`schemas.EVENTS`).

Outputs
    exits: one row per trace and exit of the shard (`schemas.EARLY_EXIT`).
    verification: packed against plain forward passes, and what the rule of cuts does
        to the answers (`schemas.VERIFICATION`).
    runs: what the shard cost (`schemas.RUNS`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row
from doubletake.stats.verification import (
    Verification,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from early_exit.branches import (
    Branch,
    continue_branches,
    longest,
    replay,
    tokens_computed,
)
from early_exit.checks import CutEffect, Differences
from early_exit.exits import AnswerPrompt, as_written, exits_of
from early_exit.plans import Drawn, Planned, drawn_of, exit_row
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("early_exit")

STAGE = "early_exit"


@dataclass(frozen=True)
class Settings:
    """The part of the `early_exit` section that the computation reads."""

    answer_prompt: str
    """Put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a forced answer."""
    max_answer_tokens: int
    """Longest forced answer, in tokens."""
    verification: Verification
    """How many exits of a shard are computed again without shortcuts."""


class Shard:
    """Computes traces one by one and keeps what the tables need."""

    def __init__(
        self,
        decoder: Decoder,
        prompt: AnswerPrompt,
        max_answer_tokens: int,
    ) -> None:
        """Start with empty tables."""
        self.decoder, self.prompt = decoder, prompt
        self.budget = max_answer_tokens
        self.limit = decoder.max_positions
        self.rows: list[dict[str, Any]] = []
        self.differences, self.cuts = Differences(), CutEffect()
        self.refused: list[str] = []

    def plan(
        self, trace: dict[str, Any], arrivals: list[dict[str, Any]]
    ) -> Planned | None:
        """The exits of one trace; None, with a warning, where they are too long."""
        exits = exits_of(trace, arrivals, self.prompt)
        branches = [Branch(place.cut, place.suffix) for place in exits]
        if longest(branches, self.budget) > self.limit:
            self.refused.append(trace["trace"])
            logger.warning(
                "trace %s refused: its exits need %d tokens, the model attends to %d",
                trace["trace"],
                longest(branches, self.budget),
                self.limit,
            )
            return None
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        others = {
            place.number: Branch(place.whole, suffix)
            for place in exits
            if (suffix := as_written(ids, place, self.prompt)) is not None
        }
        self.cuts.exits += len(exits) - 1
        self.cuts.changed += len(others)
        return Planned(trace, exits, branches, others)

    def add(self, planned: Planned, gold: str, checked: Drawn) -> int:
        """Compute the exits of one trace; return the tokens this took.

        Args:
            planned: the trace.
            gold: its problem's number.
            checked: the exits to check.
        """
        trace, branches = planned.trace, planned.branches
        name, ids = trace["trace"], [*trace["prompt_ids"], *trace["completion_ids"]]
        others = {
            number: branch
            for number, branch in planned.others.items()
            if (name, number) in checked.recut
        }
        said = continue_branches(
            self.decoder.hf,
            ids,
            [*branches, *others.values()],
            max_tokens=self.budget,
            stop=lambda _, tokens: self.prompt.ends(tokens),
        )
        rows: dict[int, dict[str, Any]] = {}
        for place, branch, packed in zip(planned.exits, branches, said, strict=False):
            rows[place.number] = exit_row(name, place, packed, gold, self.prompt)
            if (name, place.number) in checked.replayed:
                plain, choices = replay(self.decoder.hf, ids, branch, packed.tokens)
                self.differences.add(packed, plain, choices)
        self.rows += rows.values()
        places = {place.number: place for place in planned.exits}
        for number, kept in zip(others, said[len(branches) :], strict=True):
            other = exit_row(name, places[number], kept, gold, self.prompt)
            self.cuts.compare(rows[number], other)
        return tokens_computed(branches, said[: len(branches)])

    @property
    def note(self) -> str:
        """What a reader of the run table should know."""
        if not self.refused:
            return ""
        names = ", ".join(self.refused)
        return (
            f"{len(self.refused)} trace(s) beyond {self.limit} tokens refused: {names}"
        )


def compute(
    decoder: Decoder,
    prompt: AnswerPrompt,
    traces: pl.DataFrame,
    events: pl.DataFrame,
    golds: dict[str, str],
    settings: Settings,
) -> tuple[Shard, Progress]:
    """All exits of these traces."""
    shard = Shard(decoder, prompt, settings.max_answer_tokens)
    arrivals = events.filter(pl.col("kind") == "arrival").partition_by(
        "trace", as_dict=True
    )
    planned = []
    for trace in traces.iter_rows(named=True):
        found = arrivals.get((trace["trace"],))
        part = shard.plan(trace, [] if found is None else found.to_dicts())
        planned += [] if part is None else [part]
    checked = drawn_of(planned, settings.max_answer_tokens, settings.verification)
    progress = Progress(traces.height, "traces")
    progress.update(len(shard.refused))
    for part in planned:
        tokens = shard.add(part, golds[part.trace["problem"]], checked)
        progress.update(1, tokens)
    progress.close()
    return shard, progress


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
    done, progress = compute(decoder, prompt, traces, events, golds, settings)
    figures = [*done.differences.figures(decoder.dtype), *done.cuts.figures()]
    for item in figures:
        logger.info("verification: %s %s over %d", item.statistic, item.value, item.n)
    traces_done = traces.height - len(done.refused)
    run = run_row(STAGE, shard, progress, decoder, traces_done, done.note)
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(run, runs_path)
    EARLY_EXIT.write(EARLY_EXIT.frame(done.rows), exits_path)


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
