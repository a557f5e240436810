"""Thoughts of a study that are decoded again, and where the end of one is replaced."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from doubletake.study.shards import rows_of_shard
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import TracePrompt


@dataclass(frozen=True)
class DrawnThought:
    """A thought of the study with its problem."""

    trace: dict[str, Any]
    """A row of `TRACES`."""
    gold: str
    question: str

    @property
    def name(self) -> str:
        """Id of the trace."""
        return str(self.trace["trace"])

    @property
    def prompt(self) -> TracePrompt:
        """The prompt of the thought."""
        row = self.trace
        return TracePrompt(
            row["problem"], row["sample"], self.gold, row["prompt_ids"], self.question
        )

    def limit(self, max_new_tokens: int, max_positions: int) -> int:
        """Largest length of a completion of its prompt."""
        return min(max_new_tokens, max_positions - len(self.trace["prompt_ids"]))

    def before_end(self, marker: str) -> str | None:
        """Text of the completion before the end marker.

        Args:
            marker: the end marker.

        Returns:
            None for a thought without an end, and for a completion without a thought.
        """
        answer = self.trace["answer_start"]
        return self.trace["text"][: answer - len(marker)] if answer else None

    def prolonged(self, tokenizer: TraceTokenizer, word: str) -> list[int] | None:
        """Token ids of the thought with a word in place of its end.

        The tokens before the end marker are the study's own. White space before the
        marker stays.

        Returns:
            None as for `before_end`.
        """
        before = self.before_end(tokenizer.format.end)
        if before is None:
            return None
        row = self.trace
        end = row["thought_end"] - len(row["prompt_ids"])
        rest = before[row["offsets"][end] :] + word
        return row["completion_ids"][:end] + tokenizer.encode_plain(rest)


def drawn_thoughts(
    traces: pl.DataFrame,
    problems: pl.DataFrame,
    count: int | None,
    seed: int,
    shard: str,
) -> list[DrawnThought]:
    """The shard's part of the drawn thoughts, in the order of the traces.

    Args:
        traces: `TRACES`.
        problems: `PROBLEMS`.
        count: number of thoughts of the study; None: all.
        seed: of the draw, which the number of shards does not change.
        shard: k-of-n.
    """
    names = ranked_by_digest(((name,) for name in traces["trace"]), seed)
    kept = [name for (name,) in names[:count]]
    rows = rows_of_shard(traces.filter(pl.col("trace").is_in(kept)), shard)
    known = {
        name: (gold, question)
        for name, gold, question in problems.select(
            "problem", "gold", "question"
        ).iter_rows()
    }
    return [DrawnThought(row, *known[row["problem"]]) for row in rows.to_dicts()]
