"""The study's thoughts, each read for its arrivals once, when it is asked for."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import TracePrompt
from wrong_samples.cases import Case, case_of


@dataclass
class Thoughts:
    """Thoughts by name; see `of`."""

    table: pl.DataFrame
    """`TRACES`."""
    problems: dict[str, tuple[str, str]]
    """Reference answer and question by problem."""
    test: Collection[str]
    """The problems that gave no direction."""
    tokenizer: TraceTokenizer
    stop_ids: Collection[int]
    rows: dict[str, dict[str, Any]]
    """Rows of the table by trace."""
    _read: dict[str, Case | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        traces: pl.DataFrame,
        problems: pl.DataFrame,
        test: Collection[str],
        tokenizer: TraceTokenizer,
        stop_ids: Collection[int],
    ) -> "Thoughts":
        """The thoughts of a study.

        Args:
            traces: `TRACES`.
            problems: `PROBLEMS`.
            test: the problems that gave no direction.
            tokenizer: of the model.
            stop_ids: tokens that end a completion.
        """
        known = {
            name: (gold, question)
            for name, gold, question in problems.select(
                "problem", "gold", "question"
            ).iter_rows()
        }
        rows = {row["trace"]: row for row in traces.to_dicts()}
        return cls(traces, known, test, tokenizer, stop_ids, rows)

    def case(self, name: str) -> Case | None:
        """A thought with its arrivals; None for one without an arrival."""
        if name not in self._read:
            self._read[name] = self.read(self.rows[name])
        return self._read[name]

    def read(self, trace: dict[str, Any]) -> Case | None:
        """The same for any row of `TRACES` on a problem of the study."""
        one = DrawnThought(trace, *self.problems[trace["problem"]])
        return case_of(one, self.stop_ids, self.tokenizer.format.end)

    def further_prompt(self, problem: str) -> TracePrompt:
        """The prompt of the thought that one more sample would give."""
        gold, question = self.problems[problem]
        own = self.table.filter(problem=problem)
        prompt = own["prompt_ids"][0].to_list()
        sample = int(own["sample"].to_numpy().max()) + 1
        return TracePrompt(problem, sample, gold, prompt, question)
