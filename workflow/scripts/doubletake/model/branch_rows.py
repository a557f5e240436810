"""Continuations of branches of many sequences: cut, suffix, then the model's own words.

A branch sees a prefix up to its cut, then its own suffix, then its own continuation.
A row of a batch is one prefix with its branches. The prefix is read once, up to the
last cut, and all branches of all rows are decoded together (`packed_rows`).

In a row, every token of a branch is compared with the keys of all branches of the row,
and a mask hides the others. This is cheap where branches are short, like answers of
tens of tokens. So a row holds branches of at most `ROW_TOKENS` tokens together. More
branches of a prefix take more rows, and each row reads and stores the prefix again.
Branches of hundreds of tokens (resamples) are right, too, but they cost more than they
must: up to `ROW_TOKENS` hidden keys per token, and the keys of ended branches stay in
memory as long as their row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch

from doubletake.model.batch_memory import (
    FLOAT32,
    Widths,
    cache_bytes,
    forward_bytes,
    reading_bytes,
)
from doubletake.model.batches import in_batches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.continuations import (
    UNEMBED_ROWS,
    Continuation,
    GrowingContinuations,
    token_scores,
)
from doubletake.model.decoder import Decoder
from doubletake.model.edits import edited
from doubletake.model.growing_cache import BLOCK
from doubletake.model.hooks import hooked
from doubletake.model.packed_rows import PackedRows
from doubletake.model.watched_places import next_tokens

ROW_TOKENS = 2048
"""Most tokens of all branches of one row, unless a single branch is longer."""
SCORED = 4
"""Copies of all logits, in float32, that scoring a token takes."""
PADDING = 0.1
"""Largest share of padding in a batch."""


@dataclass(frozen=True)
class _Row:
    """A prefix with some of its branches: a row of a batch."""

    prefix: int
    """Number of the prefix."""
    name: str
    ids: Sequence[int]
    """Token ids up to the last cut."""
    numbers: list[int]
    """Numbers of its branches among those of the prefix."""
    branches: list[Branch]

    @cached_property
    def tokens(self) -> int:
        return len(self.ids) + sum(branch.tokens for branch in self.branches)

    @cached_property
    def columns(self) -> int:
        """Tokens of all suffixes, which are read at once."""
        return sum(len(branch.suffix) for branch in self.branches)


def continue_branches(
    decoder: Decoder, prefixes: Sequence[Prefix], batch_memory: float
) -> Iterator[tuple[int, list[Continuation]]]:
    """Continue all branches of all prefixes, in batches of similar length.

    Tokens and scores do not depend on the batch, up to rounding.

    Args:
        decoder: the model.
        prefixes: sequences with their branches.
        batch_memory: memory for a batch in addition to the model, in GiB. A batch that
            does not fit is halved.

    Yields:
        The number of a prefix and its continuations, in the order of its branches. The
        order of the prefixes is that in which they are finished.

    Raises:
        ValueError: a branch has no suffix, no token to add, a cut outside the prefix or
            a watched place outside the suffix, or keeps boundaries out of order.
        InputError: a prefix with its branches does not fit into memory.
    """
    rows = []
    for number, prefix in enumerate(prefixes):
        _check(prefix)
        rows += _rows_of(number, prefix)
    done: dict[int, dict[int, Continuation]] = {}
    for number, prefix in enumerate(prefixes):
        done[number] = {}
        if not prefix.branches:
            yield number, []
    for batch, results in in_batches(
        rows,
        lambda batch: _continue_rows(decoder, batch),
        length=lambda row: row.tokens,
        name=lambda row: row.name,
        need=partial(batch_bytes, decoder),
        batch_memory=batch_memory,
        padding=PADDING,
    ):
        for row, continuations in zip(batch, results, strict=True):
            finished = done[row.prefix]
            finished |= dict(zip(row.numbers, continuations, strict=True))
            if len(finished) == len(prefixes[row.prefix].branches):
                del done[row.prefix]
                yield row.prefix, [finished[k] for k in sorted(finished)]


def batch_bytes(decoder: Decoder, rows: Sequence[_Row]) -> float:
    """Peak memory of a batch of rows in addition to the model, in bytes.

    The prefixes are read first, then all suffixes, then a token of every branch at a
    time. Meanwhile the cache grows by blocks. A few branches are unembedded at a time.
    Kept states stay in memory, twice: boundary by boundary and branch by branch.
    """
    w, count = Widths.of(decoder), len(rows)

    def cache(keys: int) -> float:
        return cache_bytes(w, count * -(-keys // BLOCK) * BLOCK)

    def reading(columns: int, keys: int) -> float:
        mask = count * columns * keys * w.size
        attention = reading_bytes(w, count, columns, keys)
        return cache(keys) + max(attention, mask + forward_bytes(w, count, columns))

    prefix = max(len(row.ids) for row in rows)
    columns = max(row.columns for row in rows)
    steps = max(len(row.branches) for row in rows)
    keys = max(row.tokens for row in rows)
    places = sum(max(1, len(b.watched)) for row in rows for b in row.branches)
    branches = min(UNEMBED_ROWS, places)
    kept = 2 * w.d * w.size * sum(len(b.kept) for row in rows for b in row.branches)
    return kept + max(
        cache(prefix) + forward_bytes(w, count, prefix),
        reading(columns, prefix + columns),
        reading(steps, keys),
        cache(keys) + branches * w.vocabulary * SCORED * FLOAT32,
    )


@torch.inference_mode()
def replay_unpacked(
    decoder: Decoder, ids: Sequence[int], branch: Branch, tokens: Sequence[int]
) -> tuple[Continuation, list[int]]:
    """Scores of a continuation from one plain forward pass, without cache and packing.

    Args:
        decoder: the model.
        ids: token ids of the prefix.
        branch: the branch.
        tokens: its continuation.

    Returns:
        The scores of `tokens` as a continuation of the branch, with its watched
        places and kept states, and the most likely token at each position of `tokens`.
        Greedy decoding gives `tokens` if and only if these are the most likely ones.
    """
    sequence = [*ids[: branch.cut], *branch.suffix, *tokens][:-1]
    input_ids = torch.tensor([sequence], device=decoder.device)
    own = range(len(sequence) - branch.cut)
    changes = (
        (number, edit, (0, branch.cut + position))
        for number, edit in enumerate(branch.edits)
        for position in own
        if edit.covers(position)
    )
    kept_states: list[torch.Tensor] = []

    def keep(_: str, __: int, states: torch.Tensor) -> None:
        kept_states.append(states[0, branch.cut - 1].cpu())

    boundaries = [("resid", layer) for layer in branch.kept]
    with edited(decoder, changes), hooked(decoder, keep, boundaries):
        # Unembed the needed positions only, to save memory.
        kept = len(tokens) + (len(branch.suffix) if branch.watched else 0)
        output = decoder.hf(input_ids=input_ids, use_cache=False, logits_to_keep=kept)
    whole = output.logits[0].float()
    logits = whole[-len(tokens) :]
    scored = torch.tensor(tokens, device=decoder.device)
    replayed = Continuation()
    if branch.kept:
        replayed.states = torch.stack(kept_states)
    if branch.watched:
        places = [watch.place for watch in branch.watched]
        ids_watched = [watch.token for watch in branch.watched]
        replayed.watched = next_tokens(whole[places], ids_watched)
    for token, row in zip(tokens, token_scores(logits, scored).tolist(), strict=True):
        replayed.add(token, row)
    replayed.last_logprobs = logits[-1].log_softmax(-1).cpu()
    return replayed, logits.argmax(-1).tolist()


def tokens_computed(
    branches: Sequence[Branch], continuations: Sequence[Continuation]
) -> int:
    """Number of tokens that the model reads for these branches of one prefix."""
    if not branches:
        return 0
    suffixes = sum(len(branch.suffix) for branch in branches)
    fed_back = sum(len(continuation.tokens) - 1 for continuation in continuations)
    return max(branch.cut for branch in branches) + suffixes + fed_back


def _check(prefix: Prefix) -> None:
    length = len(prefix.ids)
    for branch in prefix.branches:
        inside = 1 <= branch.cut <= length and all(
            0 <= watch.place <= len(branch.suffix) for watch in branch.watched
        )
        ordered = list(branch.kept) == sorted(set(branch.kept))
        if not inside or not branch.suffix or branch.max_tokens < 1 or not ordered:
            raise ValueError(
                f"{prefix.name}: no branch of a prefix of {length} tokens: {branch}"
            )


def _rows_of(number: int, prefix: Prefix) -> list[_Row]:
    """The rows of a prefix; neighbours among the sorted cuts share a row."""
    branches = prefix.branches
    groups: list[list[int]] = []
    tokens = 0
    for index in sorted(range(len(branches)), key=lambda index: branches[index].cut):
        tokens += branches[index].tokens
        if not groups or tokens > ROW_TOKENS:
            groups.append([])
            tokens = branches[index].tokens
        groups[-1].append(index)
    return [
        _Row(
            number,
            prefix.name,
            prefix.ids[: branches[group[-1]].cut],
            group,
            [branches[index] for index in group],
        )
        for group in groups
    ]


@torch.inference_mode()
def _continue_rows(decoder: Decoder, rows: list[_Row]) -> list[list[Continuation]]:
    """Continuations of all branches, by row."""
    by_row = [row.branches for row in rows]
    branches = [branch for row in by_row for branch in row]
    pack = PackedRows(decoder, [row.ids for row in rows], by_row)
    growth = GrowingContinuations(decoder, branches)
    for number, kept in pack.kept_states.items():
        growth.continuations[number].states = kept
    active = list(range(len(branches)))
    states = pack.read(active, [branch.suffix for branch in branches])
    growth.watch(
        [
            own[watch.place - 1] if watch.place else pack.states_at_cuts[number]
            for number, own in enumerate(states)
            for watch in branches[number].watched
        ]
    )
    while active := growth.add_tokens(active, torch.stack([s[-1] for s in states])):
        last = [growth.continuations[number].tokens[-1:] for number in active]
        states = pack.read(active, last)
    said = iter(growth.continuations)
    return [[next(said) for _ in row] for row in by_row]
