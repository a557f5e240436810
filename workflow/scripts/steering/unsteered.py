"""Log-probs of texts under the model without steering.

Many continuations of one thought are read together, behind its tokens (`branch_rows`).
Equal continuations are read once.
"""

from collections.abc import Iterator, Sequence

from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.decoder import Decoder
from doubletake.model.watched_places import Watch

ROW_TOKENS = 384
"""Tokens of continuations in one row. More of them would read the prefix less often, but
compare each token with more hidden ones."""

Text = tuple[tuple[int, ...], tuple[int, ...]]
"""Tokens of prompt and thought so far, and of the continuation."""


def unsteered_logprobs(
    decoder: Decoder, texts: Sequence[Text], batch_memory: float
) -> dict[Text, list[float]]:
    """Log-probs of the tokens of continuations, at temperature 1, before top-p.

    Args:
        decoder: the model; nothing is added to its states.
        texts: prefixes, each with a continuation; empty ones have no log-probs.
        batch_memory: memory for a batch in addition to the model, in GiB.

    Returns:
        Of every text the log-prob of each token of its continuation, in nats.
    """
    rows = list(_rows(texts))
    prefixes = [_prefix(row) for row in rows]
    found: dict[Text, list[float]] = {text: [] for text in texts}
    for number, done in continue_branches(decoder, prefixes, batch_memory):
        for text, continuation in zip(rows[number], done, strict=True):
            found[text] = [one.logprob for one in continuation.watched]
    return found


def _rows(texts: Sequence[Text]) -> Iterator[list[Text]]:
    """Different texts with a continuation, in groups of one prefix each."""
    by_prefix: dict[tuple[int, ...], list[Text]] = {}
    for text in dict.fromkeys(texts):
        if text[1]:
            by_prefix.setdefault(text[0], []).append(text)
    for group in by_prefix.values():
        row: list[Text] = []
        tokens = 0
        for text in sorted(group, key=lambda text: len(text[1])):
            if row and tokens + len(text[1]) > ROW_TOKENS:
                yield row
                row, tokens = [], 0
            row.append(text)
            tokens += len(text[1])
        yield row


def _prefix(row: Sequence[Text]) -> Prefix:
    prefix = row[0][0]
    branches = [
        Branch(
            cut=len(prefix),
            suffix=tokens,
            max_tokens=1,
            watched=tuple(Watch(place, token) for place, token in enumerate(tokens)),
        )
        for _, tokens in row
    ]
    return Prefix("a steered text", prefix, branches)
