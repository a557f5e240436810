"""The actions: what each forbids or appends, ready to decode with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from decoding_actions.control_words import control_words, whole_words
from decoding_actions.forbidden_words import ForbiddenWord, Vocabulary
from decoding_actions.keywords import CGRS, CONTROL, NOWAIT
from decoding_actions.steering import Forbid, OpenThoughts, Suppress
from doubletake.model.slots import Steering
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer


@dataclass(frozen=True)
class Action:
    """Something that is done while thoughts are decoded."""

    name: str
    """Of `ACTIONS`."""
    tokens: Mapping[str, Collection[int]]
    """Tokens that it forbids, always or at times, by trace."""
    steering: Steering | None = None
    """Changes the logits; None: nothing does."""
    word: str | None = None
    """Replaces the first end of the thought."""

    def trials(self, trace: str) -> tuple[int, int]:
        """Number of trial answers of a thought, and of their tokens."""
        if not isinstance(self.steering, Suppress):
            return 0, 0
        checked = self.steering.checked.get(trace)
        return (checked.trials, checked.trial_tokens) if checked else (0, 0)


def forbidding(
    words: Sequence[ForbiddenWord], tokenizer: TraceTokenizer
) -> frozenset[int]:
    """The tokens of all words, but none that a marker of the thought is made of."""
    form = tokenizer.format
    markers = {
        token for text in (form.start, form.end) for token in tokenizer.encode(text)
    }
    return frozenset().union(*(word.tokens for word in words)) - markers


def nowait(
    words: Sequence[ForbiddenWord],
    thoughts: Sequence[DrawnThought],
    tokenizer: TraceTokenizer,
) -> Action:
    """Forbids the keywords in every thought."""
    tokens = dict.fromkeys((one.name for one in thoughts), forbidding(words, tokenizer))
    return Action(NOWAIT, tokens, Forbid(OpenThoughts(tokenizer), tokens))


def control(
    words: Sequence[ForbiddenWord],
    thoughts: Sequence[DrawnThought],
    vocabulary: Vocabulary,
    seed: int,
) -> Action:
    """Forbids other words about as frequent, drawn for every thought.

    Args:
        words: the keywords of NoWait.
        thoughts: the thoughts.
        vocabulary: of the study.
        seed: of the draw.
    """
    tokenizer = vocabulary.tokenizer
    avoided = forbidding(words, tokenizer)
    keywords = {word.keyword for word in words}
    candidates = whole_words(vocabulary, keywords)
    tokens = {}
    for one in thoughts:
        chosen = control_words(words, candidates, seed, one.name)
        ids = frozenset().union(*(vocabulary.by_core[word] for word in chosen))
        tokens[one.name] = ids - avoided
    return Action(CONTROL, tokens, Forbid(OpenThoughts(tokenizer), tokens))


def cgrs(steering: Suppress, thoughts: Sequence[DrawnThought]) -> Action:
    """Suppresses the triggers where the thought is certain."""
    triggers = frozenset(steering.triggers)
    return Action(
        CGRS, dict.fromkeys((one.name for one in thoughts), triggers), steering
    )
