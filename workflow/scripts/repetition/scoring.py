"""Scores given answers at exits: every answer is a branch whose tokens are forced."""

from dataclasses import dataclass
from statistics import fmean

from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation
from doubletake.model.exit_points import ExitPoint
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.watched_places import Watch


@dataclass(frozen=True)
class Answer:
    """An answer that is scored."""

    text: str
    """As it is written, without what ends it."""
    tokens: tuple[int, ...]
    """Its tokens, up to the one that ends it."""


@dataclass(frozen=True)
class Score:
    """What the model gives an answer at an exit."""

    logprob: float
    """Of the whole answer with its end, nats."""
    logit: float
    """Mean raw logit of its tokens, without a token that only ends it."""
    said: bool
    """Whether greedy decoding gives this answer."""


def answer_of(text: str, prompt: AnswerPrompt) -> Answer:
    """An answer, tokenized by itself up to the stop text."""
    # ASSUME: a model writes an answer in the tokens that its tokenizer gives it.
    ids = prompt.tokenizer.encode_plain(text + prompt.stop.decode())
    ended = (k for k in range(1, len(ids) + 1) if prompt.ends(ids[:k]))
    return Answer(text, tuple(ids[: next(ended, len(ids))]))


def ended_at_once(_: list[int]) -> bool:
    """A continuation ends with its first token."""
    return True


def scored_branch(point: ExitPoint, answer: Answer) -> Branch:
    """The branch that reads an answer at an exit, up to the token that ends it."""
    before = len(point.suffix)
    return Branch(
        point.cut,
        (*point.suffix, *answer.tokens[:-1]),
        1,
        stop=ended_at_once,
        watched=tuple(
            Watch(before + place, token) for place, token in enumerate(answer.tokens)
        ),
    )


def score_of(answer: Answer, read: Continuation, prompt: AnswerPrompt) -> Score:
    """The score of an answer from the continuation of its branch.

    The log-prob is that of `forced_answers.whole_logprob`: in place of the last token
    count all tokens that would end the same answer there.
    """
    end = read.last_logprobs
    assert end is not None
    endings = [token for token in prompt.endings(answer.tokens) if token < len(end)]
    own = read.watched[:-1]
    counted = read.watched[: max(1, prompt.read(answer.tokens).length)]
    return Score(
        sum(seen.logprob for seen in own) + float(end[endings].logsumexp(0)),
        fmean(seen.logit for seen in counted),
        all(seen.rank == 0 for seen in own) and read.tokens[0] in endings,
    )
