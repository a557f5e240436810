"""What stands in place of a thought: filler, shuffled sentences, a foreign thought."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.stats.draws import generator
from doubletake.text.sentences import cut_after, sentences
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span, thought_tokens
from faithfulness.names import FILLER, FOREIGN, SHUFFLED


@dataclass(frozen=True)
class Cut:
    """A forced answer after some tokens in place of a thought."""

    context: str
    """`filler`, `shuffled`, `foreign`; for checks `none`, `whole`."""
    share: float
    """Tokens over those of the thought; 1 for what is not cut by share."""
    tokens: int
    """Number of tokens in place of the thought."""


@dataclass(frozen=True)
class Replaced:
    """Tokens in place of a thought, and where an answer is forced after them."""

    trace: dict[str, Any]
    """The thought, a row of `TRACES`."""
    start: list[int]
    """Token ids before the thought."""
    body: list[int]
    """Token ids in place of the thought."""
    cuts: list[Cut]
    donor: dict[str, Any] | None = None
    """The foreign thought, a row of `TRACES`."""

    @property
    def ids(self) -> list[int]:
        """All token ids, without the answer prompt."""
        return self.start + self.body


def start_of(trace: dict[str, Any], prompt: AnswerPrompt) -> list[int]:
    """Token ids before a thought: its prompt, and the opening that it has to write."""
    ids = [*trace["prompt_ids"], *trace["completion_ids"]]
    start = ids[: thought_tokens(trace)[0]]
    missing = "" if trace["thought_start"] else prompt.tokenizer.opening_left
    return start + (prompt.tokenizer.encode(missing) if missing else [])


def own_tokens(trace: dict[str, Any]) -> list[int]:
    """Token ids of a thought."""
    ids = [*trace["prompt_ids"], *trace["completion_ids"]]
    return ids[slice(*thought_tokens(trace))]


def filler_tokens(text: str, count: int, tokenizer: TraceTokenizer) -> list[int]:
    """The first tokens of a text that is repeated often enough.

    Args:
        text: of the filler; has at least one token.
        count: number of tokens.
        tokenizer: takes the text literally.
    """
    ids = tokenizer.encode_plain(text * count)
    while len(ids) < count:  # a tokenizer may join repeated texts into one token
        ids += ids
    return ids[:count]


def filler(
    trace: dict[str, Any], text: str, shares: Sequence[float], prompt: AnswerPrompt
) -> Replaced:
    """Filler in place of a thought, cut at shares of the thought's number of tokens."""
    length = len(own_tokens(trace))
    cuts = [
        Cut(FILLER, share, max(1, round(share * length))) for share in sorted(shares)
    ]
    body = filler_tokens(text, max(cut.tokens for cut in cuts), prompt.tokenizer)
    return Replaced(trace, start_of(trace, prompt), body, cuts)


def shuffled(
    trace: dict[str, Any], last_arrival: int | None, seed: int, prompt: AnswerPrompt
) -> Replaced | None:
    """The sentences up to that of the last arrival, in another order.

    The white space between them stays in its order.

    Args:
        trace: the thought.
        last_arrival: the character after its last arrival; None: it has none.
        seed: of the order, together with the name of the trace.
        prompt: the answer prompt.

    Returns:
        None for a thought without an arrival, and if there is no other order.
    """
    start, stop = thought_span(trace)
    if last_arrival is None or last_arrival > stop:
        return None
    end = cut_after(trace["text"][:stop], last_arrival)
    text = shuffled_text(
        trace["text"][start:end], generator(seed, "shuffle", trace["trace"]).shuffle
    )
    if text is None:
        return None
    body = prompt.tokenizer.encode_plain(text)
    cut = Cut(SHUFFLED, 1.0, len(body))
    return Replaced(trace, start_of(trace, prompt), body, [cut])


def shuffled_text(text: str, shuffle: Callable[[list[str]], None]) -> str | None:
    """The sentences of a text in another order; None if there is no other order."""
    spans = sentences(text)
    pieces = [text[span.start : span.end] for span in spans]
    if len(set(pieces)) < 2:
        return None
    order = list(pieces)
    while order == pieces:
        shuffle(order)
    ends = [0, *(span.end for span in spans)]
    gaps = [text[end : span.start] for end, span in zip(ends, spans, strict=False)]
    return "".join(gap + piece for gap, piece in zip(gaps, order, strict=True))


def foreign(
    trace: dict[str, Any], donor: dict[str, Any], prompt: AnswerPrompt
) -> Replaced:
    """The thought of another problem in place of a thought, with its own tokens."""
    body = own_tokens(donor)
    cut = Cut(FOREIGN, 1.0, len(body))
    return Replaced(trace, start_of(trace, prompt), body, [cut], donor)


def checked(trace: dict[str, Any], prompt: AnswerPrompt) -> Replaced:
    """The thought itself, and no thought: for comparison with other stages."""
    body = own_tokens(trace)
    cuts = [Cut("none", 0.0, 0), Cut("whole", 1.0, len(body))]
    return Replaced(trace, start_of(trace, prompt), body, cuts)
