"""Would the thought turn back again if it were written again from there?

Thoughts are cut right before a sentence and written again several times: at selected
backtracks, at their matched controls, and after arrivals where the thought does not
turn back. The share of new thoughts whose next sentence turns back is the probability
of turning, with its interval. Beside it stand two numbers that are known before a word
is drawn: the mass of the backtrack words, and the score of the study's matched probe.

Of some thoughts, whole rollouts from before and from after a sentence show how much the
sentence matters (Bogdan et al. 2025, Thought Anchors).

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces, events: the study's thoughts (`TRACES`, `EVENTS`).
    truth: planted causes (`TRUTH`); empty for other models.
    turns, words, matches: selected turns, turn words, matched pairs.
    probing, scores: the matched probe (`PROBING`, `PROBING_SCORES`).
    index, caches: the activation cache.

Outputs
    resampling, draws: boundaries, and the next sentence of every draw.
    rollouts: whole thoughts from the sentences' starts.
    verification: verdicts on sentences, masses and scores, each against another way
        (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from activations.reading import ActivationCache, Origin
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD, rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.drawn_thoughts import DrawnThought, drawn_thoughts
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from matches.tables import MATCHES
from problems.tables import PROBLEMS
from resampling.boundaries import StudyTables
from resampling.matched_probe import MatchedProbe, matched_probe
from resampling.shard import Settings, Shard
from resampling.signals import Words
from resampling.tables import RESAMPLING, RESAMPLING_DRAWS, RESAMPLING_ROLLOUTS
from traces.tables import TRACES
from truth.tables import TRUTH
from turns.reading import BACKTRACK, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_resampling")

STAGE = "resampling"
FROM_A_FILE = "nothing is written again: the thoughts come from a file"


def readable(
    traces: pl.DataFrame, shard: str, longest: int
) -> tuple[pl.DataFrame, list[str]]:
    """The traces that the model can read, and a note on longer ones of the shard.

    Args:
        traces: `TRACES`.
        shard: k-of-n.
        longest: tokens that the model attends to.
    """
    length = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    refused = rows_of_shard(traces.filter(length > longest), shard)["trace"].to_list()
    notes = []
    if refused:
        notes = [f"refused, longer than {longest} tokens: {', '.join(refused)}"]
        logger.warning("%s", notes[0])
    return traces.filter(length <= longest), notes


def study_tables(inputs: dict[str, Path], traces: pl.DataFrame) -> StudyTables:
    """The tables from which boundaries are drawn, of the thoughts of `traces`."""
    problems = PROBLEMS.read(inputs["problems"])
    every = drawn_thoughts(traces, problems, None, 0, ONE_SHARD)
    thoughts: dict[str, DrawnThought] = {one.name: one for one in every}
    return StudyTables(
        thoughts,
        EVENTS.read(inputs["events"]),
        TURNS.read(inputs["turns"]),
        MATCHES.read(inputs["matches"]),
    )


def probe_of(
    inputs: dict[str, Path],
    cache_paths: list[Path],
    model: ModelSettings,
    matches: pl.DataFrame,
) -> MatchedProbe | None:
    """The study's matched probe; None if there is none."""
    origin = Origin.of(model, inputs["events"])
    cache = ActivationCache(inputs["index"], cache_paths, origin)
    return matched_probe(inputs["probing"], inputs["scores"], matches, cache)


def main(
    *,
    inputs: dict[str, Path],
    cache_paths: list[Path],
    outputs: dict[str, Path],
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read, write the shard's thoughts again, write the tables."""
    s = settings
    traces, truth = TRACES.read(inputs["traces"]), TRUTH.read(inputs["truth"])
    is_ours = traces["logprobs"].null_count() == 0
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    traces, notes = readable(traces, shard, decoder.max_positions)
    tables = study_tables(inputs, traces)
    progress = Progress(0, "draws")
    work = Shard(
        name=shard,
        tables=tables,
        traces=traces,
        truth=None if truth.is_empty() else truth,
        decoder=decoder,
        tokenizer=tokenizer,
        sampling=Sampling(s.temperature, s.top_p, s.generation_seed),
        words=Words(
            target_ids(TURN_WORDS.read(inputs["words"]))[BACKTRACK],
            white_space_ids(tokenizer),
        ),
        probe=probe_of(inputs, cache_paths, model, tables.matches),
        progress=progress,
        settings=s,
        notes=notes,
    )
    progress.expect(len(work.boundaries))
    rows, draws = work.boundary_rows(decodes=is_ours)
    rollouts = work.rollout_rows() if is_ours else []
    progress.close()
    if not is_ours:
        logger.warning("%s", FROM_A_FILE)
        work.notes.append(FROM_A_FILE)
    names = {one.thought.name for one in work.boundaries}
    note = "; ".join(work.notes)
    run = run_row(STAGE, shard, progress, decoder, len(names), note)
    checks = verification_of(STAGE, work.checks.figures(model.dtype))
    VERIFICATION.write(checks, outputs["verification"])
    RUNS.write(run, outputs["runs"])
    RESAMPLING_DRAWS.write(RESAMPLING_DRAWS.frame(draws), outputs["draws"])
    RESAMPLING_ROLLOUTS.write(RESAMPLING_ROLLOUTS.frame(rollouts), outputs["rollouts"])
    RESAMPLING.write(RESAMPLING.frame(rows), outputs["resampling"])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            inputs={
                name: Path(path)
                for name, path in snakemake.input.items()
                if isinstance(path, str)
            },
            cache_paths=[Path(path) for path in snakemake.input.caches],
            outputs={name: Path(path) for name, path in snakemake.output.items()},
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
