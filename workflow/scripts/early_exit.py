"""What does the model answer when its thought is cut at each place it has an answer?

For every arrival k of a thought, and for k = 0 before the first thought token: cut
after the arrival's sentence, close the thought with the answer prompt, and let the
model answer greedily. All exits of a trace share one prefill (`doubletake.branches`);
some traces are computed again without it, and the differences go into a table.

Inputs
    problems: gold numbers (`schemas.PROBLEMS`).
    traces: thoughts as token ids, with the character of each token (`schemas.TRACES`).
    events: the arrivals (`schemas.EVENTS`).

Outputs
    exits: one row per trace and exit of the shard (`schemas.EARLY_EXIT`).
    verification: packed against plain forward passes (`schemas.VERIFICATION`).
    runs: what the shard cost (`schemas.RUNS`).
"""

import logging
import random
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from doubletake.answers import final_answer, number_text, same_value
from doubletake.branches import (
    Branch,
    Continuation,
    continue_branches,
    longest,
    replay,
    tokens_computed,
)
from doubletake.errors import InputError
from doubletake.logs import Progress, job
from doubletake.models import (
    Decoder,
    device_name,
    load_decoder,
    sliding_window,
)
from doubletake.schemas import (
    EARLY_EXIT,
    EVENTS,
    PROBLEMS,
    RUNS,
    TRACES,
    VERIFICATION,
)
from doubletake.sentences import sentence_end
from doubletake.studies import ModelSettings, in_shard
from doubletake.tokens import TraceTokenizer, load_tokenizer

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("early_exit")

STAGE = "early_exit"
CHECK = "exits packed on one prefill against plain full forward passes"
FLOAT32_BOUND = 1e-3  # logits and nats: rounding of another order of summation
UNKNOWN = "\ufffd".encode()  # of ids beyond the tokenizer, which padded models have


@dataclass(frozen=True)
class Settings:
    """The part of the `early_exit` section that the computation reads."""

    answer_prompt: str
    """Put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a forced answer."""
    max_answer_tokens: int
    """Longest forced answer, in tokens."""
    verified_traces: int
    """Traces of a shard whose exits are computed again without shortcuts."""
    seed: int
    """Of the choice of verified traces."""


@dataclass(frozen=True)
class Exit:
    """A place where the thought is cut."""

    number: int
    """0 before any thought, k after the sentence of arrival k."""
    cut: int
    """Tokens of prompt and completion that are kept."""
    tokens_before: int
    """Thought tokens among them."""


class Task:
    """What is asked of every trace: the answer prompt and how an answer is read."""

    def __init__(
        self, tokenizer: TraceTokenizer, settings: Settings, stop_ids: set[int]
    ) -> None:
        """Tokenize the answer prompt, as one piece.

        Raises:
            InputError: it does not hold the end-of-thought token once.
        """
        self.tokenizer, self.settings = tokenizer, settings
        self.stop_ids = tokenizer.stop_ids | stop_ids
        self.suffix = tuple(tokenizer.encode(settings.answer_prompt))
        if self.suffix.count(tokenizer.end_of_thought) != 1:
            raise InputError(
                f"early_exit.answer_prompt: {settings.answer_prompt!r} must hold the "
                f"end-of-thought token {tokenizer.end_of_thought} once"
            )
        self.stop = settings.answer_stop.encode()

    def ends(self, tokens: Sequence[int]) -> bool:
        """Whether an answer of these tokens is over."""
        if tokens[-1] in self.stop_ids:
            return True
        return self.stop in b"".join(map(self._piece, tokens))

    def read(self, tokens: Sequence[int]) -> tuple[str | None, int]:
        """The canonical answer, and how many tokens are its own.

        Its own tokens start before the stop text and end no completion. Bytes and not
        characters are looked at, because an answer may be cut inside a character.
        """
        own = [token for token in tokens if token not in self.stop_ids]
        pieces = [self._piece(token) for token in own]
        data = b"".join(pieces)
        end = data.find(self.stop)
        end = len(data) if end < 0 else end
        starts = [len(b"".join(pieces[:index])) for index in range(len(pieces))]
        text = data[:end].decode("utf-8", errors="replace")
        # Read like a box at the end of a whole answer, so that exits and final
        # answers agree on what counts as a number.
        value = final_answer(f"\\boxed{{{text}}}") if text.strip() else None
        answer = None if value is None else number_text(value)
        return answer, sum(start < end for start in starts)

    def _piece(self, token: int) -> bytes:
        try:
            return self.tokenizer.piece(token)
        except InputError:
            return UNKNOWN


def exits_of(
    trace: dict[str, Any], arrivals: Iterable[dict[str, Any]], task: Task
) -> list[Exit]:
    """Exit 0 and one exit per arrival of the thought, by arrival.

    Args:
        trace: a row of `schemas.TRACES`.
        arrivals: its rows of `schemas.EVENTS`; those after the thought are left out.
        task: knows the markers.
    """
    prompt, completion = len(trace["prompt_ids"]), trace["completion_ids"]
    limit = prompt + len(completion)
    if trace["thought_end"] is not None:
        limit = trace["thought_end"]
    elif completion and completion[-1] in task.stop_ids:
        limit -= 1  # an answer prompt after the end of the text would not be read
    first = min(prompt + _opening(trace, task.tokenizer.start_marker), limit)
    exits = [Exit(0, first, 0)]
    for arrival in sorted(arrivals, key=lambda row: row["ordinal"]):
        if arrival["token"] >= limit:
            continue
        end = sentence_end(trace["text"], arrival["end"] - 1)
        end = max(end, arrival["end"])
        # The first token that starts behind the sentence: its last character is kept.
        cut = min(prompt + bisect_left(trace["offsets"], end), limit)
        exits.append(Exit(arrival["ordinal"], cut, cut - first))
    return exits


def _opening(trace: dict[str, Any], marker: str) -> int:
    """Completion tokens that open the thought; 0 where the prompt has opened it."""
    text = trace["text"]
    start = len(text) - len(text.lstrip())
    if not text.startswith(marker, start):
        return 0
    end = start + len(marker)
    end += text.startswith("\n", end)
    return bisect_left(trace["offsets"], end)


def exit_row(
    trace: str, place: Exit, said: Continuation, gold: str, task: Task
) -> dict[str, Any]:
    """A row of `schemas.EARLY_EXIT`."""
    answer, own = task.read(said.tokens)
    return {
        "trace": trace,
        "exit": place.number,
        "tokens_before": place.tokens_before,
        "answer": answer,
        "correct": answer is not None and same_value(gold, answer),
        "logit": fmean(said.logits[:own]) if own else None,
        "logprob": sum(said.logprobs[:own]) if own else None,
        "margin": said.margins[0] if own else None,
        "entropy": said.entropies[0] if own else None,
    }


@dataclass
class Differences:
    """What the plain forward passes of the verified traces gave."""

    logit: float = 0.0
    logprob: float = 0.0
    tokens: int = 0
    exits: int = 0
    equal: int = 0

    def add(
        self, packed: Continuation, plain: Continuation, choices: list[int]
    ) -> None:
        """Compare one exit."""
        pairs = zip(packed.logits, plain.logits, strict=True)
        self.logit = max(self.logit, *(abs(a - b) for a, b in pairs))
        pairs = zip(packed.logprobs, plain.logprobs, strict=True)
        self.logprob = max(self.logprob, *(abs(a - b) for a, b in pairs))
        self.tokens += len(packed.tokens)
        self.exits += 1
        self.equal += choices == packed.tokens

    def rows(self, dtype: torch.dtype) -> list[dict[str, Any]]:
        """Rows of `schemas.VERIFICATION`; only float32 has a bound."""
        bound = FLOAT32_BOUND if dtype == torch.float32 else None
        share = self.equal / self.exits if self.exits else None
        figures = [
            ("largest difference of logits", self.logit, "logit", self.tokens, bound),
            (
                "largest difference of log-probs",
                self.logprob,
                "nat",
                self.tokens,
                bound,
            ),
            (
                "share of exits with equal answer tokens",
                share,
                "share",
                self.exits,
                None,
            ),
        ]
        return [
            {
                "stage": STAGE,
                "check": CHECK,
                "statistic": statistic,
                "value": value if count else None,
                "unit": unit,
                "n": count,
                "bound": limit,
            }
            for statistic, value, unit, count, limit in figures
        ]


class Shard:
    """Computes traces one by one and keeps what the tables need."""

    def __init__(self, decoder: Decoder, task: Task, verified: set[str]) -> None:
        """Start with empty tables; `verified` are the traces to compute twice."""
        self.decoder, self.task, self.verified = decoder, task, verified
        window = sliding_window(decoder.config)
        self.limit = min(decoder.max_positions, window or decoder.max_positions)
        self.rows: list[dict[str, Any]] = []
        self.differences = Differences()
        self.refused: list[str] = []

    def add(
        self, trace: dict[str, Any], arrivals: list[dict[str, Any]], gold: str
    ) -> int:
        """Compute the exits of one trace; return the tokens this took."""
        exits = exits_of(trace, arrivals, self.task)
        branches = [Branch(place.cut, self.task.suffix) for place in exits]
        budget = self.task.settings.max_answer_tokens
        if longest(branches, budget) > self.limit:
            self.refused.append(trace["trace"])
            logger.warning(
                "trace %s refused: its exits need %d tokens, the model attends to %d",
                trace["trace"],
                longest(branches, budget),
                self.limit,
            )
            return 0
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        said = continue_branches(
            self.decoder.hf,
            ids,
            branches,
            max_tokens=budget,
            stop=lambda _, tokens: self.task.ends(tokens),
        )
        self.rows += [
            exit_row(trace["trace"], place, continuation, gold, self.task)
            for place, continuation in zip(exits, said, strict=True)
        ]
        if trace["trace"] in self.verified:
            self._verify(ids, branches, said)
        return tokens_computed(branches, said)

    def _verify(
        self, ids: list[int], branches: list[Branch], said: list[Continuation]
    ) -> None:
        for branch, packed in zip(branches, said, strict=True):
            plain, choices = replay(self.decoder.hf, ids, branch, packed.tokens)
            self.differences.add(packed, plain, choices)

    @property
    def note(self) -> str:
        """What a reader of the run table should know."""
        if not self.refused:
            return ""
        names = ", ".join(self.refused)
        return (
            f"{len(self.refused)} trace(s) beyond {self.limit} tokens refused: {names}"
        )


def stop_ids_of(decoder: Decoder) -> set[int]:
    """Tokens that end a completion by the model's generation config."""
    stops = decoder.hf.generation_config.eos_token_id
    return set(stops if isinstance(stops, list) else [stops]) - {None}


def verified_of(traces: Iterable[str], count: int, seed: int) -> set[str]:
    """The traces to compute twice: a draw that depends on seed and trace alone."""
    drawn = sorted(traces, key=lambda trace: random.Random(f"{seed}/{trace}").random())
    return set(drawn[:count])


def compute(
    decoder: Decoder,
    task: Task,
    traces: pl.DataFrame,
    events: pl.DataFrame,
    golds: dict[str, str],
) -> tuple[Shard, Progress]:
    """All exits of these traces."""
    settings = task.settings
    verified = verified_of(traces["trace"], settings.verified_traces, settings.seed)
    shard = Shard(decoder, task, verified)
    arrivals = events.filter(pl.col("kind") == "arrival").partition_by(
        "trace", as_dict=True
    )
    progress = Progress(traces.height, "traces")
    for trace in traces.iter_rows(named=True):
        found = arrivals.get((trace["trace"],))
        rows = [] if found is None else found.to_dicts()
        tokens = shard.add(trace, rows, golds[trace["problem"]])
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
    traces = TRACES.read(traces_path)
    traces = traces[[i for i in range(traces.height) if in_shard(i, shard)]]
    golds = dict(PROBLEMS.read(problems_path).select("problem", "gold").iter_rows())
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    task = Task(tokenizer, settings, stop_ids_of(decoder))
    done, progress = compute(decoder, task, traces, EVENTS.read(events_path), golds)
    checks = done.differences.rows(decoder.dtype)
    for row in checks:
        logger.info("verification: %(statistic)s %(value)s over %(n)d", row)
    run = {
        "stage": STAGE,
        "shard": shard,
        "traces": traces.height - len(done.refused),
        "tokens": progress.tokens,
        "seconds": progress.seconds,
        "device": device_name(decoder.device),
        "dtype": model.dtype,
        "note": done.note,
    }
    VERIFICATION.write(VERIFICATION.frame(checks), verification_path)
    RUNS.write(RUNS.frame([run]), runs_path)
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
            settings=Settings(**snakemake.params.settings),
            shard=snakemake.wildcards.shard,
        )
