"""Do the rules stop a running thought where the replay says, and what does it cost?

Some thoughts are decoded again, once for every exit rule, all in one batch. At each
trial point the rule is shown what it asks for, computed on a branch of the running
cache, and stops the thought or lets it run. The same rule is then replayed on the
finished thought, whose trials were computed apart. Both must look at the same points,
see the same trial answers and stop at the same token. What differs is explained.

Greedy thoughts are compared with a whole greedy thought, which is decoded in the same
batch. Sampled thoughts have the random numbers of the study's traces, and are compared
with these and with their trial points.

Then a few thoughts are decoded one at a time, to measure the seconds of each step.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: the thoughts (`TRACES`).
    points: the trial points (`TRIAL_POINTS`).
    scores, probes: of exit probes (`EXIT_PROBE_SCORES`).
    lynx: thresholds of the rule `lynx` (`LYNX_CALIBRATION`).

Outputs
    online: one row per rule, mode and thought (`ONLINE_EXIT`).
    rules: one row per rule and mode (`ONLINE_RULES`).
    latency: seconds of each step (`LATENCY`).
    latency_rules: seconds of the thoughts under each rule (`LATENCY_RULES`).
    runs: what it cost (`RUNS`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.exit_rules.splits import problem_groups
from doubletake.exit_rules.trials import Trials
from doubletake.model.decoder import Decoder
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.token_sampling import GREEDY as MOST_LIKELY
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress, job
from doubletake.stats.draws import ranked_by_digest
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from doubletake.text.trace_rows import TracePrompt
from exit_policies.tables import LYNX_CALIBRATION
from exit_probes.reading import read_probes, reported_scores
from exit_probes.tables import EXIT_PROBE_SCORES
from exit_probes.tables import RULES as PROBED
from online_exit.decoding import Engine
from online_exit.latency import Stopwatch, composed
from online_exit.looks import Looking
from online_exit.proof import Compared, Proof, rule_rows
from online_exit.reference import Reference
from online_exit.rounding import Margins
from online_exit.studied_rules import StudiedRules
from online_exit.tables import (
    GREEDY,
    LATENCY,
    LATENCY_RULES,
    MODES,
    ONLINE_EXIT,
    ONLINE_RULES,
    SAMPLED,
)
from problems.tables import PROBLEMS
from traces.tables import TRACES
from trial_points.reading import model_origin
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_online_exit")

STAGE = "online_exit"
IMPORTED = "the thoughts come from files: the model has not generated them"
NOT_SAMPLED = "the study's thoughts are greedy: see the greedy mode"
NOTHING = "no thought was drawn"


@dataclass(frozen=True)
class Settings:
    """The `online_exit` section, and what it takes from other sections."""

    thoughts: int
    """Number of thoughts that are decoded again."""
    greedy_tokens: int | None
    """Longest greedy completion; None: as in `generation`."""
    timed_thoughts: int
    """Number of them that are decoded alone, for the times."""
    seed: int
    """Of the draw."""
    kinds: list[str]
    """Kinds of points, start and end left aside."""
    every: int
    """Distance of the points of the kind `every`, in tokens."""
    max_tokens: int
    """Longest trial answer, in tokens."""
    answer_prompt: str
    """Text put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a trial answer."""
    batch_memory: float
    """Memory for looks in addition to the model and the thoughts, in GiB."""
    group_seed: int
    """Seed of the groups of problems, as in `exit_policies`."""
    generation: dict[str, Any] | None
    """How the study's thoughts were generated; None: they come from files."""

    @property
    def sampling(self) -> Sampling:
        """How the tokens of the study's thoughts were chosen."""
        part = self.generation or {}
        return Sampling(part["temperature"], part["top_p"], part["seed"])


@dataclass(frozen=True)
class Study:
    """The tables of a study."""

    problems: pl.DataFrame
    traces: pl.DataFrame
    points: pl.DataFrame
    scores: pl.DataFrame
    lynx: pl.DataFrame

    def drawn(self, count: int, seed: int) -> tuple[list[TracePrompt], str]:
        """Prompts of drawn thoughts, and a note on those that cannot be drawn."""
        whole = self.points.filter(pl.col("point") == 0).filter(left_out=0)
        usable = set(whole["trace"])
        names = ranked_by_digest([(name,) for name in usable], seed)[:count]
        kept = {name for (name,) in names}
        known = {
            name: (gold, question)
            for name, gold, question in self.problems.select(
                "problem", "gold", "question"
            ).iter_rows()
        }
        prompts = [
            TracePrompt(problem, sample, known[problem][0], ids, known[problem][1])
            for trace, problem, sample, ids in self.traces.select(
                "trace", "problem", "sample", "prompt_ids"
            ).iter_rows()
            if trace in kept
        ]
        left = self.traces.height - len(usable)
        return prompts, f"{left} traces without all their points" if left else ""

    def reference(self, prompts: list[TracePrompt]) -> Reference:
        """The study's own thoughts on these prompts."""
        inside = pl.col("trace").is_in([prompt.trace for prompt in prompts])
        scores = {rule: reported_scores(self.scores, rule) for rule in PROBED}
        return Reference.of(
            self.points.filter(inside), self.traces.filter(inside), scores
        )


@dataclass(frozen=True)
class Measured:
    """What is written."""

    online: pl.DataFrame
    rules: pl.DataFrame
    latency: pl.DataFrame
    latency_rules: pl.DataFrame


def not_checked(rules: StudiedRules, reason: str) -> Measured:
    """Tables of a study on which nothing is decoded."""
    every = dict.fromkeys(rules.rules, reason)
    empty = ONLINE_EXIT.frame([])
    rows = [row for mode in MODES for row in rule_rows(rules.rules, mode, empty, every)]
    return Measured(
        empty, ONLINE_RULES.frame(rows), LATENCY.frame([]), LATENCY_RULES.frame([])
    )


def measure(
    proof: Proof, own: Reference, settings: Settings, progress: Progress
) -> Measured:
    """Decode, compare and time.

    Args:
        proof: what is decoded.
        own: the study's own thoughts.
        settings: of the experiment.
        progress: counts the thoughts.
    """
    why_not: dict[str, dict[str, str]] = {mode: proof.why_not(own) for mode in MODES}
    names = [name for name in proof.rules.rules if name not in why_not[SAMPLED]]
    is_sampled = settings.sampling.temperature > 0
    compared = Compared(GREEDY)
    greedy, reference = proof, own
    if is_sampled:  # the study has no greedy thoughts
        greedy = proof.shortened(settings.greedy_tokens)
    done = greedy.decode(names, MOST_LIKELY, progress)
    if is_sampled:
        reference = greedy.reference_of(done)
    compared.add(done, reference, Margins(proof.engine.decoder, MOST_LIKELY))
    every = [compared]
    if is_sampled:
        compared = Compared(SAMPLED)
        done = proof.decode(names, settings.sampling, progress)
        compared.add(done, own, Margins(proof.engine.decoder, settings.sampling))
        every.append(compared)
    else:
        why_not[SAMPLED] = dict.fromkeys(proof.rules.rules, NOT_SAMPLED)
    online = ONLINE_EXIT.frame([row for one in every for row in one.rows])
    rules = [
        row
        for mode in MODES
        for row in rule_rows(proof.rules.rules, mode, online, why_not[mode])
    ]
    stopwatch = timed(proof, own, settings)
    last = online.filter(mode=compared.mode if stopwatch.seconds else "")
    return Measured(
        online,
        ONLINE_RULES.frame(rules),
        stopwatch.frame(),
        composed(stopwatch, last, compared.deciding),
    )


def timed(proof: Proof, own: Reference, settings: Settings) -> Stopwatch:
    """Time some of the thoughts."""
    stopwatch = Stopwatch(proof.engine, proof.looking, settings.sampling)
    for prompt in proof.prompts[: settings.timed_thoughts]:
        probes = (proof.rules.probe(rule, prompt.problem) for rule in PROBED)
        probe = next((one for one in probes if one is not None), None)
        stopwatch.time(prompt, len(own.trial_ids[prompt.trace]), probe)
    return stopwatch


def proof_of(
    decoder: Decoder,
    tokenizer: TraceTokenizer,
    rules: StudiedRules,
    prompts: list[TracePrompt],
    settings: Settings,
) -> Proof:
    """What is decoded, with the study's settings of generation and trials."""
    assert settings.generation is not None
    prompt = AnswerPrompt(
        tokenizer, settings.answer_prompt, settings.answer_stop, decoder.stop_ids
    )
    trials = Trials(prompt, settings.max_tokens)
    engine = Engine(
        decoder,
        tokenizer.stops_with(decoder.stop_ids),
        settings.generation["max_new_tokens"],
        settings.generation["batch_size"],
        settings.batch_memory,
    )
    looking = Looking(trials, settings.kinds, settings.every)
    return Proof(engine, looking, rules, prompts)


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    points_path: Path,
    scores_path: Path,
    probes_path: Path,
    lynx_path: Path,
    online_path: Path,
    rules_path: Path,
    latency_path: Path,
    latency_rules_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the study, decode its drawn thoughts with every rule, write five tables."""
    study = Study(
        PROBLEMS.read(problems_path),
        TRACES.read(traces_path),
        TRIAL_POINTS.read(points_path),
        EXIT_PROBE_SCORES.read(scores_path),
        LYNX_CALIBRATION.read(lynx_path),
    )
    probes = read_probes(probes_path, model_origin(model))
    groups = problem_groups(study.points["problem"].unique(), settings.group_seed)
    rules = StudiedRules.of(settings.answer_prompt, probes, groups, study.lynx)
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    prompts, note = study.drawn(settings.thoughts, settings.seed)
    progress = Progress(0, "thoughts")
    if settings.generation is None:
        measured = not_checked(rules, IMPORTED)
    elif not prompts:
        measured = not_checked(rules, NOTHING)
    else:
        proof = proof_of(decoder, tokenizer, rules, prompts, settings)
        measured = measure(proof, study.reference(prompts), settings, progress)
    progress.close()
    for mode, equal in (
        measured.online.group_by("mode", maintain_order=True)
        .agg(pl.col("equal").sum())
        .iter_rows()
    ):
        logger.info("%s: decoding and replay equal in %d runs", mode, equal)
    ONLINE_EXIT.write(measured.online, online_path)
    ONLINE_RULES.write(measured.rules, rules_path)
    LATENCY.write(measured.latency, latency_path)
    LATENCY_RULES.write(measured.latency_rules, latency_rules_path)
    run = run_row(STAGE, "1-of-1", progress, decoder, len(prompts), note)
    RUNS.write(run, runs_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            points_path=Path(snakemake.input.points),
            scores_path=Path(snakemake.input.scores),
            probes_path=Path(snakemake.input.probes),
            lynx_path=Path(snakemake.input.lynx),
            online_path=Path(snakemake.output.online),
            rules_path=Path(snakemake.output.rules),
            latency_path=Path(snakemake.output.latency),
            latency_rules_path=Path(snakemake.output.latency_rules),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**snakemake.params.settings),
        )
