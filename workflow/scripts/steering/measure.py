"""What does the chosen direction change, and do random vectors of its length change it?

The screening has chosen a direction, a boundary and positions. Here they are tested on
other problems: whole thoughts are decoded at every strength, and thoughts are continued
by some tokens after an arrival, also with random vectors of the same norm, with vectors
of the same subspace and with the directions of shuffled labels.

Inputs
    problems, traces, events: `PROBLEMS`, `TRACES`, `EVENTS`.
    parts: which problems are to test (`DIRECTION_PROBLEMS`).
    directions: the vectors (`directions.reading`).
    words: turn words (`TURN_WORDS`).
    cells: what the screening has chosen (`CELLS`).
    checks, screening_runs: of the screening of the same shard.

Outputs
    thoughts: one row per strength and thought of the shard (`STEERING`).
    short: one row per cell and context of the shard (`SHORT`).
    verification: checks of screening and test (`VERIFICATION`).
    runs: what the shard cost, screening and test (`RUNS`).
"""

import logging
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import indices_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.drawn_thoughts import DrawnThought
from steering.cells import Cell
from steering.contexts import Context
from steering.decoding import Decoding, continuation_text
from steering.ladder import chosen_of, ladder_cells, steered_cells
from steering.names import NONE
from steering.rows import Continuations, thought_row
from steering.settings import DecodingSettings
from steering.study_inputs import StudyPaths, is_imported
from steering.tables import CELLS, SHORT, STEERING
from steering.turn_probability import TurnProbability
from steering.verification_figures import WholeChecks

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_steering")

STAGE = "steering"
Rows = list[dict[str, Any]]


def decode_short(
    decoding: Decoding,
    cells: Sequence[Cell],
    contexts: Sequence[Context],
    progress: Progress,
) -> Rows:
    """Rows of `SHORT`: all contexts, continued with all cells."""
    planned = [(cell, one) for one in contexts for cell in cells]
    requests = [decoding.continued(*one) for one in planned]
    thoughts = [one.thought for one in contexts]
    seed = decoding.settings.fresh_seed
    turns = TurnProbability(decoding.turn_ids)
    done = decoding.decode(requests, thoughts, progress, seed, turns=turns)
    found = [(cell, one, done[cell.name, one.thought.name]) for cell, one in planned]
    texts = [continuation_text(one, completion) for _, one, completion in found]
    # The band of random vectors needs their turns alone; some of them show coherence.
    shown = [cell.draw < decoding.settings.controls for cell, _, _ in found]
    scored = decoding.logprobs(list(compress(texts, shown)), progress)
    reader = Continuations(decoding.tokenizer, decoding.settings.detector)
    return [
        reader.row(
            cell,
            one,
            completion,
            turns.found[cell.name, one.thought.name],
            sum(scored[text]) if known else None,
        )
        for (cell, one, completion), text, known in zip(
            found, texts, shown, strict=True
        )
    ]


def decode_whole(
    decoding: Decoding,
    cells: Sequence[Cell],
    thoughts: Sequence[DrawnThought],
    progress: Progress,
    checks: WholeChecks,
) -> Rows:
    """Rows of `STEERING`: all thoughts, decoded with all cells."""
    planned = [(cell, one) for one in thoughts for cell in cells]
    requests = [decoding.whole(*one) for one in planned]
    seed = decoding.settings.generation_seed  # none repeats the study's thoughts
    done = decoding.decode(requests, thoughts, progress, seed)
    found = [(cell, one, done[cell.name, one.name]) for cell, one in planned]
    texts = [
        (tuple(one.trace["prompt_ids"]), tuple(completion.ids))
        for _, one, completion in found
    ]
    scored = decoding.logprobs(texts, progress)
    rows = []
    for (cell, one, completion), text in zip(found, texts, strict=True):
        logprob = sum(scored[text])
        rows.append(
            thought_row(
                cell,
                one,
                completion,
                logprob,
                decoding.tokenizer,
                decoding.settings.detector,
            )
        )
        if cell.source == NONE:
            checks.add(one.trace, completion)
    return rows


def main(
    *,
    study: StudyPaths,
    cells_path: Path,
    checks_path: Path,
    screening_runs_path: Path,
    thoughts_path: Path,
    short_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: DecodingSettings,
    shard: str,
) -> None:
    """Read the study, decode the thoughts of the shard, write the tables."""
    traces = study.traces_table()
    drawn = study.drawn(traces, settings)
    thoughts = [drawn.thoughts[k] for k in indices_of_shard(len(drawn.thoughts), shard)]
    contexts = [drawn.ladder[k] for k in indices_of_shard(len(drawn.ladder), shard)]
    chosen = chosen_of(CELLS.read(cells_path))
    whole: Rows = []
    short: Rows = []
    checks = WholeChecks(study.tested(), imported=is_imported(traces))
    runs = [RUNS.read(screening_runs_path)]
    dtype = None
    if chosen is None or not (thoughts or contexts):
        logger.info("nothing to decode: screening only")
    else:
        decoding = study.decoding(model, settings)
        dtype = decoding.decoder.dtype
        steered = steered_cells(chosen, settings.steps)
        cells = ladder_cells(chosen, settings, decoding.vectors)
        total = len(steered) * len(thoughts) + len(cells) * len(contexts)
        progress = Progress(total, "texts")
        whole = decode_whole(decoding, steered, thoughts, progress, checks)
        short = decode_short(decoding, cells, contexts, progress)
        progress.close()
        checks.add_problems(row["problem"] for row in (*whole, *short))
        count = len(thoughts) + len(contexts)
        runs.append(run_row(STAGE, shard, progress, decoding.decoder, count, ""))
    own = verification_of(STAGE, checks.figures(dtype))
    screened = VERIFICATION.read(checks_path)
    VERIFICATION.write(pl.concat([screened, own]), verification_path)
    RUNS.write(pl.concat(runs), runs_path)
    SHORT.write(SHORT.frame(short), short_path)
    STEERING.write(STEERING.frame(whole), thoughts_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            study=StudyPaths(
                problems=Path(snakemake.input.problems),
                traces=Path(snakemake.input.traces),
                events=Path(snakemake.input.events),
                parts=Path(snakemake.input.parts),
                directions=Path(snakemake.input.directions),
                words=Path(snakemake.input.words),
            ),
            cells_path=Path(snakemake.input.cells),
            checks_path=Path(snakemake.input.checks),
            screening_runs_path=Path(snakemake.input.screening_runs),
            thoughts_path=Path(snakemake.output.thoughts),
            short_path=Path(snakemake.output.short),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=DecodingSettings(**snakemake.params.settings),
            shard=snakemake.wildcards.shard,
        )
