"""What becomes of thoughts if words are forbidden, or one more turn is forced?

Some thoughts of the study are decoded again, with the same prompt and the same random
numbers. NoWait forbids backtrack words throughout the thought, its control forbids
other words about as frequent, CGRS forbids backtrack words more often the more certain
the thought is, and s1 (Muennighoff et al. 2025, arXiv 2501.19393) replaces the first
end of the thought by "Wait". The study's own thoughts are the baseline. A few thoughts
are decoded without any action; they must equal the study's.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: the study's thoughts (`TRACES`).

Outputs
    thoughts: one row per action and thought of the shard (`DECODING_ACTIONS`).
    words: the shard's part of the forbidden words (`WORDS`).
    verification: decoding without an action against the study's thoughts, and whether
        every action did what it says (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from decoding_actions.actions import Action, cgrs, control, forbidding, nowait
from decoding_actions.decoding import PLAIN, Completions, decode, requests_of
from decoding_actions.forbidden_words import ForbiddenWord, Vocabulary, thought_ids
from decoding_actions.keywords import CGRS, CONTROL, NOWAIT, S1, keywords
from decoding_actions.rows import thought_row, word_rows
from decoding_actions.steering import OpenThoughts, Suppress
from decoding_actions.tables import DECODING_ACTIONS, WORDS
from decoding_actions.verification_figures import Checks
from doubletake.detector.chinese_cues import in_chinese
from doubletake.model.decoder import Decoder
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row, run_row_on
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Case, Verification, drawn, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.drawn_thoughts import DrawnThought, drawn_thoughts
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_decoding_actions")

STAGE = "decoding_actions"
FROM_A_FILE = "not checked: the thoughts come from a file, so they cannot be decoded"


@dataclass(frozen=True)
class Settings:
    """The `decoding_actions` section, and what it takes from other sections."""

    thoughts: int | None
    """Number of thoughts that are decoded again; None: all."""
    actions: list[str]
    """Of `ACTIONS`."""
    cgrs_threshold: float
    """delta of CGRS."""
    cgrs_checkpoints: str
    """Where CGRS asks for a trial answer."""
    word: str
    """What s1 appends."""
    seed: int
    """Of the draws of this stage."""
    temperature: float
    top_p: float
    max_new_tokens: int
    batch_size: int
    generation_seed: int
    """Of the study's thoughts."""
    detector: str
    """Of backtracks."""
    answer_prompt: str
    """Text that closes a thought for a trial and asks for its answer."""
    answer_stop: str
    trial_tokens: int
    """Length of the longest trial."""
    verification: Verification


Words = dict[str, list[ForbiddenWord]]
"""The forbidden words of NoWait and CGRS, by action."""


@dataclass
class Study:
    """What decoding needs."""

    decoder: Decoder
    vocabulary: Vocabulary
    words: Words
    thoughts: list[DrawnThought]
    settings: Settings

    @property
    def tokenizer(self) -> TraceTokenizer:
        """Of the model."""
        return self.vocabulary.tokenizer

    def action(self, name: str) -> Action:
        """An action on these thoughts."""
        settings, thoughts = self.settings, self.thoughts
        if name == NOWAIT:
            return nowait(self.words[NOWAIT], thoughts, self.tokenizer)
        if name == CONTROL:
            words, seed = self.words[NOWAIT], settings.seed
            return control(words, thoughts, self.vocabulary, seed)
        if name == S1:
            return Action(S1, {}, word=settings.word)
        prompt = AnswerPrompt(
            self.tokenizer,
            settings.answer_prompt,
            settings.answer_stop,
            self.decoder.stop_ids,
        )
        suppress = Suppress(
            OpenThoughts(self.tokenizer),
            sorted(forbidding(self.words[CGRS], self.tokenizer)),
            prompt,
            settings.cgrs_threshold,
            settings.cgrs_checkpoints,
            settings.trial_tokens,
            settings.seed,
            self.decoder.max_positions,
        )
        return cgrs(suppress, thoughts)

    def requests(
        self, thoughts: list[DrawnThought], action: Action | None
    ) -> list[GenerationRequest]:
        """What is decoded of these thoughts."""
        most, positions = self.settings.max_new_tokens, self.decoder.max_positions
        return requests_of(thoughts, action, self.tokenizer, most, positions)

    def decode(
        self,
        requests: list[GenerationRequest],
        actions: list[Action],
        progress: Progress,
    ) -> Completions:
        """Completions of all requests."""
        s, decoder = self.settings, self.decoder
        stops = self.tokenizer.stops_with(decoder.stop_ids)
        sampling = Sampling(s.temperature, s.top_p, s.generation_seed)
        return decode(
            decoder, requests, actions, sampling, stops, s.batch_size, progress
        )


def words_of(vocabulary: Vocabulary, traces: pl.DataFrame) -> Words:
    """The forbidden words; also Chinese ones where a thought is Chinese."""
    chinese = any(map(in_chinese, traces["text"]))
    return {
        action: [vocabulary.word(word) for word in keywords(action, chinese=chinese)]
        for action in (NOWAIT, CGRS)
    }


@dataclass(frozen=True)
class Measured:
    """What the decoded thoughts say."""

    rows: list[dict[str, Any]]
    """Rows of `DECODING_ACTIONS`."""
    checks: Checks
    progress: Progress
    """It is finished."""
    note: str
    """On decoded thoughts that are no text."""


def measure(study: Study) -> Measured:
    """Decode all thoughts with all actions, and some of them without one."""
    thoughts, settings, tokenizer = study.thoughts, study.settings, study.tokenizer
    cases = [Case((one.name,), len(one.trace["completion_ids"])) for one in thoughts]
    work = sum(case.cost for case in cases) * len(settings.actions)
    named = {case.name[0] for case in drawn(cases, work, settings.verification)}
    repeated = [one for one in thoughts if one.name in named]
    actions = [study.action(name) for name in settings.actions]
    requests = study.requests(repeated, None)
    for action in actions:
        requests += study.requests(thoughts, action)
    progress, checks = Progress(len(requests), "thoughts"), Checks()
    done = study.decode(requests, actions, progress)
    for one in repeated:
        again = done[PLAIN, one.name].ids
        checks.add_plain(one.trace["completion_ids"], again)
    rows, refused = [], []
    for action in actions:
        for one in thoughts:
            completion = done.get((action.name, one.name))
            try:
                row = thought_row(action, one, completion, tokenizer, settings.detector)
            except InputError as error:
                what = f"{one.name} ({action.name})"
                logger.warning("%s refused: %s", what, error)
                refused.append(what)
                continue
            checks.add(row, one, tokenizer.format.end, settings.word)
            rows.append(row)
    progress.close()
    note = f"refused as no text: {', '.join(refused)}" if refused else ""
    return Measured(rows, checks, progress, note)


def not_decoded(shard: str, dtype: str) -> pl.DataFrame:
    """The row of `RUNS` of a study whose thoughts come from a file."""
    logger.warning("%s", FROM_A_FILE)
    progress = Progress(0, "thoughts")
    progress.close()
    device = torch.device("cpu")
    return run_row_on(STAGE, shard, progress, device, dtype, 0, FROM_A_FILE)


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    thoughts_path: Path,
    words_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read the thoughts, decode the drawn ones of the shard, write the tables."""
    traces = TRACES.read(traces_path)
    rows: list[dict[str, Any]] = []
    words = WORDS.frame([])
    checks = Checks().figures(torch.float32)
    if traces["logprobs"].null_count():
        run = not_decoded(shard, model.dtype)
    else:
        tokenizer, decoder = load_tokenizer(model), load_decoder(model)
        problems = PROBLEMS.read(problems_path)
        thoughts = drawn_thoughts(
            traces, problems, settings.thoughts, settings.seed, shard
        )
        every = [thought_ids(row) for row in traces.to_dicts()]
        vocabulary = Vocabulary(tokenizer, every)
        forbidden = words_of(vocabulary, traces)
        study = Study(decoder, vocabulary, forbidden, thoughts, settings)
        found = measure(study)
        rows, checks = found.rows, found.checks.figures(decoder.dtype)
        run = run_row(STAGE, shard, found.progress, decoder, len(thoughts), found.note)
        words = rows_of_shard(WORDS.frame(word_rows(forbidden)), shard)
    VERIFICATION.write(verification_of(STAGE, checks), verification_path)
    RUNS.write(run, runs_path)
    WORDS.write(words, words_path)
    DECODING_ACTIONS.write(DECODING_ACTIONS.frame(rows), thoughts_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            thoughts_path=Path(snakemake.output.thoughts),
            words_path=Path(snakemake.output.words),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
