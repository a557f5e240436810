"""Forces answers with something else in place of thoughts, and checks some of them."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.model.branch_rows import (
    continue_branches,
    replay_unpacked,
    tokens_computed,
)
from doubletake.model.branches import Branch, Prefix, longest_sequence
from doubletake.model.continuations import Continuation
from doubletake.model.decoder import Decoder
from doubletake.model.forced_answers import AnswerPrompt, answer_columns
from doubletake.running.logs import Progress
from doubletake.stats.verification import Case, Verification, drawn
from doubletake.text.grading import Task
from faithfulness.contexts import (
    Replaced,
    checked,
    filler,
    foreign,
    own_tokens,
    shuffled,
)
from faithfulness.drawn import Donors, drawn_thoughts, usable
from faithfulness.names import NONE
from faithfulness.same import same_answer
from faithfulness.verification_figures import Differences

logger = logging.getLogger("measure_faithfulness")


@dataclass(frozen=True)
class Settings:
    """The `faithfulness` section, and what it takes from other sections."""

    thoughts: int | None
    """Largest number of thoughts; None: all."""
    filler: str
    """Text that is repeated in place of the thought."""
    filler_shares: list[float]
    """Numbers of filler tokens, as shares of the thought's."""
    seed: int
    """Of the draws of thoughts, orders and foreign thoughts."""
    answer_prompt: str
    """Text put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a forced answer."""
    max_tokens: int
    """Longest forced answer, in tokens."""
    batch_memory: float
    """Memory for a batch in addition to the model, in GiB."""
    verification: Verification
    """How many answers are computed again in plain passes."""


@dataclass
class Measurement:
    """Forces the answers of a study and collects what they say."""

    decoder: Decoder
    prompt: AnswerPrompt
    settings: Settings
    problems: dict[str, tuple[str, str]]
    """Question and reference answer by problem."""

    def __post_init__(self) -> None:
        """Start with empty tables."""
        self.rows: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.differences = Differences()

    def plan(self, traces: pl.DataFrame, events: pl.DataFrame) -> list[Replaced]:
        """All contexts of the drawn thoughts; too long ones are refused."""
        s, own = self.settings, usable(traces)
        arrivals = events.filter(kind="arrival")
        last = dict(arrivals.group_by("trace").agg(pl.col("end").max()).iter_rows())
        donors = Donors(own, s.seed)
        made: list[Replaced | None] = []
        for trace in drawn_thoughts(own, s.thoughts, s.seed):
            made.append(filler(trace, s.filler, s.filler_shares, self.prompt))
            made.append(shuffled(trace, last.get(trace["trace"]), s.seed, self.prompt))
            donor = donors.of(trace)
            made.append(None if donor is None else foreign(trace, donor, self.prompt))
        return [each for each in made if each is not None and self._fits(each)]

    def _fits(self, each: Replaced) -> bool:
        needed = longest_sequence(self.prefix(each).branches)
        if needed > self.decoder.max_positions:
            name = f"{each.trace['trace']} ({each.cuts[0].context})"
            self.refused.append(name)
            logger.warning("%s refused: it needs %d tokens", name, needed)
        return needed <= self.decoder.max_positions

    def prefix(self, each: Replaced) -> Prefix:
        """Tokens in place of a thought, with an answer at every cut."""
        suffix, start = self.prompt.suffix(""), len(each.start)
        branches = [
            Branch(
                start + cut.tokens, suffix, self.settings.max_tokens, self.prompt.ends
            )
            for cut in each.cuts
        ]
        return Prefix(each.trace["trace"], each.ids, branches)

    def answers(
        self, contexts: list[Replaced], progress: Progress
    ) -> Iterator[tuple[int, Prefix, list[Continuation]]]:
        """The forced answers of contexts, by number, as they are finished."""
        prefixes = [self.prefix(each) for each in contexts]
        gib = self.settings.batch_memory
        for number, said in continue_branches(self.decoder, prefixes, gib):
            yield number, prefixes[number], said
            progress.update(1, tokens_computed(prefixes[number].branches, said))

    def measure(self, contexts: list[Replaced], progress: Progress) -> None:
        """Add the rows of all contexts, and compare some with plain passes."""
        cases = [
            Case((number, place), len(each.start) + cut.tokens)
            for number, each in enumerate(contexts)
            for place, cut in enumerate(each.cuts)
        ]
        work = float(sum(len(each.ids) for each in contexts))
        replayed = {
            case.name for case in drawn(cases, work, self.settings.verification)
        }
        for number, prefix, said in self.answers(contexts, progress):
            each = contexts[number]
            for place, answer in enumerate(said):
                self.rows.append(self._row(each, place, answer))
                if (number, place) in replayed:
                    branch = prefix.branches[place]
                    plain, choices = replay_unpacked(
                        self.decoder, prefix.ids, branch, answer.tokens
                    )
                    self.differences.add(answer, plain, choices)

    def rebuild(
        self, contexts: list[Replaced], points: pl.DataFrame, progress: Progress
    ) -> None:
        """Compare no thought and the whole thought of some thoughts with `points`."""
        traces = {each.trace["trace"]: each.trace for each in contexts}
        known = {
            (trace, end): ids
            for trace, point, end, ids in points.filter(
                (pl.col("point") == 0) | pl.col("end"),
                pl.col("trace").is_in(list(traces)),
            )
            .select("trace", "point", "end", pl.col("trial_ids"))
            .iter_rows()
        }
        cases = [
            Case((name,), len(trace["prompt_ids"]) + len(own_tokens(trace)))
            for name, trace in traces.items()
            if (name, False) in known and (name, True) in known
        ]
        work = float(sum(len(each.ids) for each in contexts))
        names = sorted(
            str(case.name[0]) for case in drawn(cases, work, self.settings.verification)
        )
        again = [checked(traces[name], self.prompt) for name in names]
        for number, _, said in self.answers(again, progress):
            each = again[number]
            for cut, answer in zip(each.cuts, said, strict=True):
                ids = known[each.trace["trace"], cut.context != NONE]
                self.differences.rebuilt.append(answer.tokens != ids)

    def _row(self, each: Replaced, place: int, said: Continuation) -> dict[str, Any]:
        trace, cut, donor = each.trace, each.cuts[place], each.donor
        question, gold = self.problems[trace["problem"]]
        text = trace["text"][: trace["thought_stop"]]
        answer = answer_columns(said, Task(gold, question, text), self.prompt)
        value = answer["answer"]
        return {
            "trace": trace["trace"],
            "problem": trace["problem"],
            "context": cut.context,
            "share": cut.share,
            "tokens": cut.tokens,
            "thought_tokens": len(own_tokens(trace)),
            "donor": donor and donor["trace"],
            **{name: answer[name] for name in ("answer", "answer_text", "ended")},
            "same": same_answer(trace["answer"], value),
            "correct": answer["correct"],
            "donor_same": donor and same_answer(donor["answer"], value),
        }
