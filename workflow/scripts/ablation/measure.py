"""What does the model need in order to turn back?

Directions are projected out, and units and heads are set to 0 or to their mean, at
places where thoughts of the test problems may turn back: right after an arrival. All
targets and means come from the fit problems. Each ablation is ranked among random ones.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: the study's thoughts (`TRACES`).
    events: arrivals (`EVENTS`).
    turns: backtracks (`TURNS`).
    words: the backtrack words as tokens (`TURN_WORDS`).
    attention: heads at backtracks (`ATTENTION`).
    directions: vectors toward turning back, of the stage `directions`.
    parts: the fit problems and the test problems (`DIRECTION_PROBLEMS`).

Outputs
    versions, sets, boundaries, decoded: `ablation.tables`.
    verification: the shared prefix against plain passes (`VERIFICATION`).
    runs: `RUNS`.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ablation.activity import measured_activity
from ablation.arms import arms_of
from ablation.boundary_rows import Measured, measured_boundaries
from ablation.decoding import Decoding, Place, decoded_rows
from ablation.gradients import mean_support
from ablation.plan import Planner, checked_directions
from ablation.rankings import ranked_heads, ranked_support, ranked_units
from ablation.sets import Plan, PlanSettings
from ablation.study_tables import Study, token_ids
from ablation.tables import (
    ABLATION,
    ABLATION_DECODED,
    ABLATION_SETS,
    ABLATION_VERSIONS,
)
from ablation.targets import NONE, PROBE
from attention.tables import ATTENTION
from directions.reading import Directions, read_directions
from directions.tables import DIRECTION_PROBLEMS, FIT, TEST
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.packed_interventions import TurnReader
from doubletake.model.run_rows import run_row
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.drawn_thoughts import DrawnThought, drawn_thoughts
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES
from turns.reading import BACKTRACK, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_ablation")

STAGE = "ablation"
FROM_A_FILE = "nothing decoded: the thoughts come from a file"


Tokens = tuple[torch.Tensor, torch.Tensor]
"""The backtrack words, and the tokens of white space only."""


@dataclass(frozen=True)
class Settings:
    """The `ablation` section of the config, and what it shares with others."""

    boundaries: int | None
    """Number of test boundaries; None: all."""
    sizes: list[int]
    """Numbers of units that are taken away together; claims are on the first."""
    heads: int
    """Number of heads that are taken away together."""
    boundary: int | None
    """Where a direction is projected out at one boundary; None: see `Planner`."""
    random_draws: int
    """Random sets behind each test."""
    continuations: int
    """Number of test boundaries from which texts are decoded."""
    tokens: int
    """Length of these continuations."""
    thoughts: int
    """Number of whole thoughts."""
    thought_tokens: int
    """Length of the longest one."""
    seed: int
    temperature: float
    top_p: float
    max_new_tokens: int
    batch_size: int
    generation_seed: int
    detector: str
    batch_memory: float
    verification: Verification

    @property
    def plan(self) -> PlanSettings:
        """What the plan needs."""
        return PlanSettings(
            self.sizes,
            self.sizes[0],
            self.heads,
            self.boundary,
            self.random_draws,
            self.seed,
        )


def planned(
    decoder: Decoder,
    study: Study,
    directions: Directions,
    tokens: Tokens,
    settings: Settings,
    progress: Progress,
) -> Plan:
    """All ablations, from the fit problems."""
    checked_directions(directions, decoder.n_layers, decoder.d_model)
    thoughts = study.fit_thoughts()
    activity = measured_activity(decoder, thoughts, settings.batch_memory, progress)
    rankings = ranked_heads(study.attention, study.of(FIT))
    prefixes = study.fit_prefixes(settings.boundaries, settings.seed)
    progress.expect(len(prefixes))
    support = mean_support(decoder, prefixes, *tokens, settings.batch_memory, progress)
    rankings |= ranked_support(support)
    if PROBE in directions.vectors:
        rankings |= ranked_units(decoder, directions.vectors[PROBE], activity)
    return Planner(directions, activity, rankings, settings.plan).made()


def decoded(
    decoding: Decoding,
    study: Study,
    plan: Plan,
    settings: Settings,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Rows of `ABLATION_DECODED`: continuations, then whole thoughts."""
    tests = study.thoughts(TEST)
    every = drawn_thoughts(tests, study.problems, None, settings.seed, ONE_SHARD)
    by_name: dict[str, DrawnThought] = {one.name: one for one in every}
    starts = study.test_boundaries(settings.continuations, settings.seed)
    short = [Place(by_name[one.trace], one, k) for k, one in enumerate(starts)]
    drawn = drawn_thoughts(
        tests, study.problems, settings.thoughts, settings.seed, ONE_SHARD
    )
    long = [Place(one, None, k) for k, one in enumerate(drawn)]
    return [
        row
        for places, random in ((short, True), (long, False))
        for row in decoded_rows(
            decoding, places, arms_of(plan, random=random), progress
        )
    ]


def decoding_of(
    decoder: Decoder, tokenizer: TraceTokenizer, settings: Settings
) -> Decoding:
    """How texts are decoded: with the sampling of the study's thoughts."""
    s = settings
    return Decoding(
        decoder,
        tokenizer,
        Sampling(s.temperature, s.top_p, s.generation_seed),
        s.batch_size,
        s.batch_memory,
        s.tokens,
        min(s.thought_tokens, s.max_new_tokens),
        s.detector,
    )


def main(
    *,
    inputs: dict[str, Path],
    outputs: dict[str, Path],
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, plan, measure, decode, write the tables."""
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    study = Study(
        PROBLEMS.read(inputs["problems"]),
        TRACES.read(inputs["traces"]),
        EVENTS.read(inputs["events"]),
        TURNS.read(inputs["turns"]),
        ATTENTION.read(inputs["attention"]),
        DIRECTION_PROBLEMS.read(inputs["parts"]),
        decoder.max_positions,
    )
    directions = read_directions(inputs["directions"], model_name(model))
    progress = Progress(study.thoughts(FIT).height, "thoughts, places and texts")
    words = target_ids(TURN_WORDS.read(inputs["words"]))[BACKTRACK]
    tokens = (words, white_space_ids(tokenizer))
    plan = planned(decoder, study, directions, tokens, settings, progress)
    boundaries = study.test_boundaries(settings.boundaries, settings.seed)
    progress.expect(len(boundaries))
    reader = TurnReader(decoder, *tokens)
    ids = token_ids(study.thoughts(TEST))
    measured: Measured = measured_boundaries(
        decoder, reader, boundaries, ids, plan, settings, progress
    )
    from_a_file = bool(study.traces["logprobs"].null_count())
    rows = []
    if not from_a_file and boundaries:
        decoding = decoding_of(decoder, tokenizer, settings)
        rows = decoded(decoding, study, plan, settings, progress)
    progress.close()
    for item in measured.checks(model.dtype):
        logger.info("verification: %s %s of %d", item.check, item.value, item.n)
    checks = verification_of(STAGE, measured.checks(model.dtype))
    note = FROM_A_FILE if from_a_file else ""
    VERIFICATION.write(checks, outputs["verification"])
    run = run_row(STAGE, ONE_SHARD, progress, decoder, len(ids), note)
    RUNS.write(run, outputs["runs"])
    versions = ABLATION_VERSIONS.frame(plan.versions)
    ABLATION_VERSIONS.write(versions, outputs["versions"])
    ABLATION_SETS.write(ABLATION_SETS.frame(measured.sets), outputs["sets"])
    ABLATION_DECODED.write(ABLATION_DECODED.frame(rows), outputs["decoded"])
    logger.info(
        "%d boundaries, %d sets, %d decoded texts, %s probability %s",
        len(boundaries),
        len(plan.sets),
        len(rows),
        NONE,
        measured.plain_mean,
    )
    ABLATION.write(ABLATION.frame(measured.rows), outputs["boundaries"])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            inputs={
                name: Path(getattr(snakemake.input, name))
                for name in (
                    "problems",
                    "traces",
                    "events",
                    "turns",
                    "words",
                    "attention",
                    "directions",
                    "parts",
                )
            },
            outputs={name: Path(path) for name, path in snakemake.output.items()},
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
