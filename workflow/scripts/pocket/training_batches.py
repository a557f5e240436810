"""Training data of the pocket model: generated texts, encoded and put into batches.

There are three kinds of rows. A thought has its loss on the whole completion. A forced
answer is a question with no thought, or with a cut thought, that is closed and answered
with the true answer; its loss is on the answer alone, so that the model learns how sure
it may be at a cut and does not learn to close a thought anywhere. A drill is a list of
equations, some of which are false and denied (see `drill_rows` for its loss).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from transformers import PreTrainedTokenizerFast as Tokenizer

from pocket.arithmetic import MAX_VALUE, Equation, calculate, is_fact
from pocket.derivations import wrong_result
from pocket.phrases import DENIALS
from pocket.planted_events import Thought
from pocket.problems import Problem, is_test_question, sample_problem
from pocket.thoughts import sample_thought
from pocket.tokenizer import ANSWER_PROMPT, completion_text, prompt_text

IGNORED = -100
"""Target of positions without a loss."""
DRILL_EQUATIONS = 14
"""Facts of one training sequence of a drill."""
FALSE_EQUATIONS = 0.25
"""Share of the additions and subtractions of a drill that are stated wrong first, where
the wrong sign gives a number of at least 2."""
TRUE, FALSE, DENIAL = "true", "false", "denial"
"""Kinds of the sentences of a drill."""


@dataclass(frozen=True)
class ForcedAnswers:
    """Shares of the rows that are forced answers, by the place of the cut."""

    no_thought: float
    """Before any thought."""
    arrival: float
    """After the sentence of an arrival, drawn evenly."""
    derivation: float
    """After a sentence of the first derivation, drawn evenly."""
    weight: float
    """Weight of an answer's loss, where a token of a thought has the weight 1."""


@dataclass(frozen=True)
class Row:
    """One training sequence."""

    ids: list[int]
    targets: list[int]
    """Indices of the tokens that have a loss."""
    weight: float = 1.0
    """Weight of the loss of each of these tokens."""


def training_thoughts(rng: random.Random, rows: int) -> list[tuple[Problem, Thought]]:
    """Thoughts on problems outside the test split."""
    thoughts: list[tuple[Problem, Thought]] = []
    while len(thoughts) < rows:
        problem = sample_problem(rng)
        if not is_test_question(problem.question):
            thoughts.append((problem, sample_thought(problem, rng)))
    return thoughts


def training_texts(rng: random.Random, rows: int) -> list[tuple[str, str]]:
    """Questions and whole completions of problems outside the test split."""
    return [
        (problem.question, completion_text(thought.text, thought.answer))
        for problem, thought in training_thoughts(rng, rows)
    ]


def thought_rows(
    tokenizer: Tokenizer,
    *,
    rng: random.Random,
    forced: ForcedAnswers | None,
    rows: int,
) -> list[Row]:
    """Rows with a thought or a forced answer.

    Args:
        tokenizer: the pocket tokenizer.
        rng: source of problems, thoughts and cuts.
        forced: how many rows are forced answers; None for whole thoughts alone.
        rows: number of rows.
    """
    thoughts = training_thoughts(rng, rows)
    prompts = _encode(tokenizer, [prompt_text(p.question) for p, _ in thoughts])
    forced = forced or ForcedAnswers(0, 0, 0, 1)
    cuts = [_cut_of(thought, rng, forced) for _, thought in thoughts]
    bodies = _encode(
        tokenizer,
        [
            completion_text(thought.text, thought.answer)
            if cut is None
            else thought.text[:cut]
            for (_, thought), cut in zip(thoughts, cuts, strict=True)
        ],
    )
    # As at an exit, the answer prompt is tokenized apart from the text before it.
    (answer_prompt,) = _encode(tokenizer, [ANSWER_PROMPT])
    # The box is closed, too: else a forced answer would not end.
    texts = [f"{problem.answer}}}." for problem, _ in thoughts]
    answers = _encode(tokenizer, texts)
    encoded = []
    for prompt, cut, body, answer in zip(prompts, cuts, bodies, answers, strict=True):
        if cut is None:
            ids = [*prompt, *body, tokenizer.eos_token_id]
            encoded.append(Row(ids, list(range(len(prompt), len(ids)))))
        else:
            before = [*prompt, *body, *answer_prompt]
            ids = [*before, *answer]
            targets = list(range(len(before), len(ids)))
            encoded.append(Row(ids, targets, forced.weight))
    return encoded


def _cut_of(thought: Thought, rng: random.Random, forced: ForcedAnswers) -> int | None:
    """Character at which a row's thought is cut; None for a whole thought."""
    shares = [forced.no_thought, forced.arrival, forced.derivation]
    kinds = ["no_thought", "arrival", "derivation", "whole"]
    kind = rng.choices(kinds, [*shares, 1 - sum(shares)])[0]
    if kind == "arrival":
        arrival = rng.choice(thought.arrivals)
        return thought.text.index(".", arrival.end) + 1
    if kind == "derivation":
        return rng.choice((0, *thought.sentence_ends))
    return None if kind == "whole" else 0


def drill_rows(
    tokenizer: Tokenizer, *, rng: random.Random, weight: float, rows: int
) -> list[Row]:
    """Rows with bare equations, drawn evenly from all facts of the language.

    A thought repeats its few equations. A drill shows many different equations in the
    same number of tokens. Some are false; the next sentence says so and the true
    equation follows. The loss is on true results, on what follows an equation, and on
    the sentences that deny.

    Args:
        tokenizer: the pocket tokenizer.
        rng: source of the equations.
        weight: of the loss of a token.
        rows: number of rows.
    """
    facts = all_facts()
    drills = [_drill(rng, facts) for _ in range(rows)]
    encoded = iter(_encode(tokenizer, [text for drill in drills for text, _ in drill]))
    result = []
    for drill in drills:
        ids = [tokenizer.bos_token_id]
        targets: list[int] = []
        for _, kind in drill:
            piece = next(encoded)
            first, stop = len(ids), len(ids) + len(piece)
            # A piece ends with the result and a full stop.
            own = {TRUE: [first, stop - 2], FALSE: [first], DENIAL: range(first, stop)}
            targets += own[kind]
            ids += piece
        result.append(Row(ids, targets, weight))
    return result


def _drill(rng: random.Random, facts: Sequence[Equation]) -> list[tuple[str, str]]:
    """Sentences of a drill, each with its kind."""
    pieces: list[tuple[str, str]] = []
    for fact in rng.choices(facts, k=DRILL_EQUATIONS):
        result = wrong_result(fact)
        if result is not None and rng.random() < FALSE_EQUATIONS:
            wrong = replace(fact, result=result)
            pieces.append((f" {wrong}.", FALSE))
            pieces.append((f" {DENIALS['Wait'].format(wrong)}", DENIAL))
        pieces.append((f" {fact}.", TRUE))
    return pieces


def all_facts() -> list[Equation]:
    """Every equation that the language may hold."""
    numbers = range(2, MAX_VALUE + 1)
    return [
        Equation(left, sign, right, calculate(left, sign, right))
        for sign in "+-*/"
        for left in numbers
        for right in numbers
        if is_fact(left, sign, right)
    ]


def in_batches(
    encoded: list[Row], rng: random.Random, batch_tokens: int
) -> list[list[Row]]:
    """Batches of rows of similar length, in random order, up to `batch_tokens` each."""
    encoded = sorted(encoded, key=lambda row: len(row.ids))
    batches: list[list[Row]] = [[]]
    for row in encoded:
        if (len(batches[-1]) + 1) * len(row.ids) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    rng.shuffle(batches)
    return batches


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids; no token is added, because the prompt's text holds the BOS."""
    core = tokenizer.backend_tokenizer
    return [part.ids for part in core.encode_batch(texts, add_special_tokens=False)]


def collate(
    batch: list[Row], pad: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, targets and weights `[row, token]`, padded on the right.

    The target of a position is the next token; where this token has no loss, it is
    `IGNORED`, and the weight is 0. With causal attention, padding on the right needs
    no mask.
    """
    longest = max(len(row.ids) for row in batch)
    ids = torch.full((len(batch), longest), pad)
    targets = torch.full((len(batch), longest), IGNORED)
    weights = torch.zeros(len(batch), longest)
    for index, row in enumerate(batch):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        positions = torch.tensor(row.targets) - 1
        targets[index, positions] = ids[index, positions + 1]
        weights[index, positions] = row.weight
    return ids, targets, weights
