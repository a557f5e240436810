"""Rows of the tables of continuations and of whole thoughts."""

from typing import Any

from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion
from steering.cells import Cell
from steering.contexts import Context
from steering.reader import Reading, text_measures


def cell_columns(cell: Cell) -> dict[str, Any]:
    """The columns `CELL` of a row."""
    return {
        "setting": cell.setting,
        "source": cell.source,
        "direction": cell.direction,
        "boundary": cell.boundary,
        "positions": cell.positions,
        "strength": cell.strength,
    }


class Continuations:
    """Reads short continuations; equal ones of a thought are read once."""

    def __init__(self, tokenizer: TraceTokenizer, detector: str) -> None:
        """Nothing is read yet."""
        self.tokenizer, self.detector = tokenizer, detector
        self.known: dict[tuple[str, tuple[int, ...], str], dict[str, Any]] = {}

    def row(
        self,
        cell: Cell,
        context: Context,
        completion: Completion,
        turn: float,
        logprob: float | None,
    ) -> dict[str, Any]:
        """A row of `SCREENING` or `SHORT`.

        Args:
            cell: what was added.
            context: what was continued.
            completion: with the tokens before the cut.
            turn: probability to begin with a turn word.
            logprob: sum over the tokens after it, without steering, in nats; None: not
                measured.
        """
        key = context.thought.name, tuple(completion.ids), completion.finish
        if key not in self.known:
            self.known[key] = self._read(context, completion)
        trace = context.thought.trace
        return (
            cell_columns(cell)
            | {"draw": cell.draw, "trace": trace["trace"], "problem": trace["problem"]}
            | {"kept": context.kept, "probability": turn, "logprob": logprob}
            | self.known[key]
        )

    def _read(self, context: Context, completion: Completion) -> dict[str, Any]:
        reading = Reading(context.thought, completion, self.tokenizer, self.detector)
        ids, text = completion.ids[context.kept :], reading.text[context.character :]
        return {
            "tokens": len(ids),
            "ended": reading.ended,
            "turned": any(one.start >= context.character for one in reading.backtracks),
            **text_measures(ids, text),
            "text": text,
        }


def thought_row(
    cell: Cell,
    one: DrawnThought,
    completion: Completion,
    logprob: float,
    tokenizer: TraceTokenizer,
    detector: str,
) -> dict[str, Any]:
    """A row of `STEERING`.

    Args:
        cell: what was added.
        one: the study's thought with the same prompt and random numbers.
        completion: what was decoded.
        logprob: sum over its tokens, without steering, in nats.
        tokenizer: of the model.
        detector: of backtracks.
    """
    reading = Reading(one, completion, tokenizer, detector)
    columns = cell_columns(cell)
    del columns["setting"], columns["source"]
    return columns | {
        "trace": one.name,
        "problem": one.trace["problem"],
        "tokens": reading.thought_tokens,
        "decoded": len(completion.ids),
        "closed": reading.edges.marker is not None,
        "limited": not reading.ended,
        "backtracks": len(reading.backtracks),
        **reading.verdict(),
        **text_measures(completion.ids, reading.text),
        "logprob": logprob,
        "text": reading.text,
    }
