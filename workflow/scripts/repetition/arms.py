"""The arms: the real thought, and what the model reads in its place.

All arms keep the thought's own tokens up to the first arrival. Only the text after
them is tokenized, and the exits follow the rule of the real exits
(`doubletake.model.exit_points`). So exit 1 is the same in all arms but `wrong_all`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from doubletake.model.exit_points import ExitPoint, exit_at
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.running.errors import InputError
from doubletake.text.token_cuts import tokens_before
from repetition.cases import Case
from repetition.tables import FILLER, REPEATED, THOUGHT, WRONG_ALL, WRONG_REPEATS
from repetition.wrong_number import with_number


@dataclass(frozen=True, eq=False)
class Arm:
    """What the model reads in one arm, and its exits."""

    name: str
    ids: list[int]
    """Tokens of prompt and completion."""
    points: list[ExitPoint]
    """Exits that are computed; an arm that starts with exit 2 shares exit 1 with the
    real thought."""
    texts: tuple[str, ...] = ()
    """What each exit's text must end with; empty for the real thought."""


def arms_of(
    case: Case, wrong: str | None, most: int, filler: list[str], prompt: AnswerPrompt
) -> list[Arm]:
    """The arms of a case.

    Args:
        case: of a thought.
        wrong: the drawn wrong number; None: there are no arms with it.
        most: largest number of exits.
        filler: neutral sentences.
        prompt: the answer prompt.

    Raises:
        InputError: the tokenizer changes a text.
    """
    trace = case.thought.trace
    points = case.points[:most]
    count = len(points)
    arms = [
        Arm(THOUGHT, [*trace["prompt_ids"], *trace["completion_ids"]], points),
        _stating(case, REPEATED, case.text, count, prompt),
        _filled(case, points, filler, prompt),
    ]
    if wrong is not None:
        other = with_number(case.text, case.number, wrong)
        arms.append(_stating(case, WRONG_REPEATS, other, count, prompt))
        arms.append(_stating(case, WRONG_ALL, other, count, prompt, anew=True))
    return arms


def _stating(
    case: Case,
    name: str,
    sentence: str,
    count: int,
    prompt: AnswerPrompt,
    *,
    anew: bool = False,
) -> Arm:
    """An arm that states a sentence until the answer has been stated `count` times.

    Args:
        case: of a thought.
        name: of the arm.
        sentence: that is stated.
        count: number of exits.
        prompt: the answer prompt.
        anew: the sentence also takes the place of the first statement.
    """
    start, at = case.sentence
    added = (case.between + sentence) * (count - 1)
    if anew:
        same = _common(case.text, sentence)
        at, added = start + same, sentence[same:] + added
    trace = _spliced(case, at, added, prompt)
    first_end = start + len(sentence) if anew else case.sentence.end
    length = len(case.between + sentence)
    numbers = range(1 if anew else 2, count + 1)
    ends = [first_end + (number - 1) * length for number in numbers]
    limit = len(trace["prompt_ids"]) + len(trace["completion_ids"])
    points = [
        exit_at(trace, number, end - case.tail, end, prompt, limit)
        for number, end in zip(numbers, ends, strict=True)
    ]
    texts = tuple(
        sentence + (case.between + sentence) * (number - 1)
        if anew
        else case.text + (case.between + sentence) * (number - 1)
        for number in numbers
    )
    return Arm(name, _ids(trace), points, texts)


def _filled(
    case: Case, points: Sequence[ExitPoint], filler: list[str], prompt: AnswerPrompt
) -> Arm:
    """The arm with neutral sentences, as near as whole ones come to the real length."""
    wanted = [point.tokens_before - points[0].tokens_before for point in points[1:]]
    shortest = min(len(prompt.tokenizer.encode_plain(text)) for text in filler)
    count = wanted[-1] // shortest + 2
    sentences = list(islice(cycle(filler), count))
    trace = _spliced(
        case, case.sentence.end, "".join(case.between + s for s in sentences), prompt
    )
    limit = len(_ids(trace))
    ends, end = [], case.sentence.end
    for sentence in sentences:
        end += len(case.between + sentence)
        ends.append((end - len(sentence), end))
    made = [exit_at(trace, 0, least, end, prompt, limit) for least, end in ends]
    chosen = [_nearest(made, number, points[0]) for number in wanted]
    texts = tuple(trace["text"][: ends[index][1]] for index in chosen)
    exits = [replace(made[index], number=k) for k, index in enumerate(chosen, 2)]
    return Arm(FILLER, _ids(trace)[: max(p.sentence_end for p in exits)], exits, texts)


def _nearest(points: Sequence[ExitPoint], wanted: int, first: ExitPoint) -> int:
    """The exit with about so many tokens after the first; the earliest of equals."""
    goal = first.tokens_before + wanted
    distances = [abs(point.tokens_before - goal) for point in points]
    return distances.index(min(distances))


def _common(text: str, other: str) -> int:
    """Number of first characters that two texts share, without a part of a number."""
    pairs = enumerate(zip(text, other, strict=False))
    shared = next((k for k, (one, two) in pairs if one != two), len(text))
    while shared and text[shared - 1] in "0123456789,.":
        shared -= 1
    return shared


def _ids(trace: dict[str, Any]) -> list[int]:
    return [*trace["prompt_ids"], *trace["completion_ids"]]


def _spliced(case: Case, at: int, added: str, prompt: AnswerPrompt) -> dict[str, Any]:
    """The case's trace up to a character, with another text after it.

    Raises:
        InputError: the tokenizer changes the text.
    """
    trace, tokenizer = case.thought.trace, prompt.tokenizer
    ids = tokens_before(trace, at, added, tokenizer)
    text, offsets = tokenizer.decode(ids)
    if text != trace["text"][:at] + added:
        raise InputError(f"trace {case.name}: the tokenizer changes {added[:60]!r}")
    return trace | {
        "completion_ids": ids,
        "text": text,
        "offsets": offsets,
        "thought_end": None,
    }
