"""Exit points: where a thought is cut, and which tokens follow the cut."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.text.sentences import cut_after
from doubletake.text.trace_positions import thought_tokens


@dataclass(frozen=True)
class ExitPoint:
    """A cut of a thought."""

    number: int
    """0 before any thought, k after the sentence of arrival k."""
    cut: int
    """Number of tokens of prompt and completion that are kept unchanged."""
    tokens_before: int
    """Number of thought tokens before the exit."""
    suffix: tuple[int, ...]
    """Token ids after the kept tokens: the end of the sentence and the answer prompt,
    tokenized together."""
    sentence_end: int
    """Number of tokens of prompt and completion up to the end of the sentence."""


def exit_points_of(
    trace: dict[str, Any], arrivals: Iterable[dict[str, Any]], prompt: AnswerPrompt
) -> list[ExitPoint]:
    """Exit 0 and one exit per arrival of the thought, in the order of the arrivals.

    Exit 0 stands after the marker that opens the thought. If neither prompt nor
    completion holds this marker, the answer prompt begins with it.

    Args:
        trace: a row of `TRACES`.
        arrivals: the trace's rows of `EVENTS`; arrivals after the thought are left out.
        prompt: the answer prompt.
    """
    start, completion = len(trace["prompt_ids"]), trace["completion_ids"]
    limit = start + len(completion)
    ended = completion and completion[-1] in prompt.stop_ids
    if trace["thought_end"] is None and ended:
        limit -= 1  # a model reads nothing after the token that ends its text
    first = min(thought_tokens(trace)[0], limit)
    missing = "" if trace["thought_start"] else prompt.tokenizer.opening_left
    points = [ExitPoint(0, first, 0, prompt.suffix(missing), first)]
    thought = trace["text"][: trace["thought_stop"]]
    for arrival in sorted(arrivals, key=lambda row: row["ordinal"]):
        if arrival["end"] > len(thought):
            continue
        # ASSUME: the answer of an arrival is complete at the end of its sentence.
        end = cut_after(thought, arrival["end"])
        points.append(
            exit_at(trace, arrival["ordinal"], arrival["end"], end, prompt, limit)
        )
    return points


def exit_at(
    trace: dict[str, Any],
    number: int,
    least: int,
    end: int,
    prompt: AnswerPrompt,
    limit: int,
) -> ExitPoint:
    """The exit after a character of a completion.

    Args:
        trace: a row of `TRACES`.
        number: of the exit.
        least: characters before it are not taken for marks that end the sentence.
        end: the character after the sentence.
        prompt: the answer prompt.
        limit: largest number of tokens of prompt and completion that are kept.
    """
    start, offsets = len(trace["prompt_ids"]), trace["offsets"]
    first = min(thought_tokens(trace)[0], limit)
    sentence_end = min(start + bisect_left(offsets, end), limit)
    kept, tail = retokenized_end(trace["text"], offsets, least, end)
    return ExitPoint(
        number,
        min(start + kept, limit),
        sentence_end - first,
        prompt.suffix(tail),
        sentence_end,
    )


def retokenized_end(
    text: str, offsets: Sequence[int], least: int, end: int
) -> tuple[int, str]:
    r"""How many tokens a cut keeps, and which end of the sentence is tokenized again.

    A tokenizer joins the last marks of a sentence with the line break after them:
    ".\n" is one token before one line break, ".\n\n" before two, "." inside a
    paragraph. If these tokens were kept, the same sentence would end in different
    tokens at different exits. So all exits follow one rule. The marks that end the
    sentence are tokenized again, together with the answer prompt, as a model would
    write them that closes its thought there. Marks are characters that are neither
    letters nor digits nor white space; one space before them goes with them. If a
    token reaches beyond the sentence, its part of the sentence is tokenized again, too.

    Args:
        text: of the completion.
        offsets: the character at which each token starts.
        least: end of the arrival; characters before it are not taken for marks.
        end: the character after the sentence.

    Returns:
        The number of completion tokens that are kept, and the text to tokenize again.
    """
    marks = end
    while marks > least and _is_mark(text[marks - 1]):
        marks -= 1
    if least < marks < end and text[marks - 1] == " ":
        marks -= 1  # byte-level tokenizers put a space before marks into their token
    kept, end_token = bisect_left(offsets, marks), bisect_left(offsets, end)
    last_token_end = offsets[end_token] if end_token < len(offsets) else len(text)
    if kept == end_token and last_token_end > end:
        # One token holds the sentence's last characters and characters after them.
        kept = bisect_left(offsets, offsets[end_token - 1])
    return kept, text[offsets[kept] : end] if kept < end_token else ""


def suffix_as_written(
    ids: Sequence[int], point: ExitPoint, prompt: AnswerPrompt
) -> tuple[int, ...] | None:
    """The suffix of an exit that keeps the sentence's own tokens up to its end.

    Args:
        ids: token ids of prompt and completion.
        point: an exit.
        prompt: the answer prompt.

    Returns:
        None if the model reads the same tokens with and without the rule of cuts.
    """
    suffix = prompt.suffix("")
    as_written = (*ids[point.cut : point.sentence_end], *suffix)
    return None if as_written == point.suffix or point.number == 0 else suffix


def _is_mark(character: str) -> bool:
    return not (character.isalnum() or character.isspace())
