"""Forced continuations of one sequence that share a single prefill.

A branch sees a prefix of the sequence, then a suffix of its own, then what it says
itself. The prefix is computed once, up to the last cut. All suffixes are one packed
forward pass: more queries on the same cache, each with the position it would have in a
sequence of its own, under a mask that hides the other branches and the prefix behind
the cut. Layers that see a window get a mask of their own, which also hides what lies
further back than the window. All branches are then decoded together, one packed step
per token.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from doubletake.model.architectures import attention_windows

PREFIX = -1  # owner of the keys that all branches share

Stop = Callable[[int, list[int]], bool]
"""Given a branch's index and its tokens so far: has it said enough?"""


@dataclass(frozen=True)
class Branch:
    """One continuation: `prefix[:cut]`, then `suffix`."""

    cut: int
    """Tokens of the prefix that the branch sees, at least 1."""
    suffix: tuple[int, ...]
    """Token ids put after them, at least one."""


@dataclass
class Continuation:
    """Tokens after a branch's suffix; every list has one entry per token."""

    tokens: list[int] = field(default_factory=list)
    logits: list[float] = field(default_factory=list)
    """Raw logit of the token."""
    logprobs: list[float] = field(default_factory=list)
    """Its log-probability (nats)."""
    margins: list[float] = field(default_factory=list)
    """Top-1 minus top-2 logit where it was chosen."""
    entropies: list[float] = field(default_factory=list)
    """Entropy of the distribution it was chosen from (nats)."""

    def add(self, token: int, scores: Sequence[float]) -> None:
        """Append a token with its logit, log-prob, margin and entropy."""
        self.tokens.append(token)
        lists = (self.logits, self.logprobs, self.margins, self.entropies)
        for values, score in zip(lists, scores, strict=True):
            values.append(score)


@torch.inference_mode()
def continue_branches(
    hf: Any,
    prefix: Sequence[int],
    branches: Sequence[Branch],
    *,
    max_tokens: int,
    stop: Stop,
) -> list[Continuation]:
    """Greedy continuations of all branches, in their order.

    A branch ends with the token after which `stop` is true, or after `max_tokens`.

    Args:
        hf: causal language model of transformers (sdpa or eager attention).
        prefix: token ids of the shared sequence.
        branches: where each branch leaves it, and what is put there.
        max_tokens: longest continuation, in tokens.
        stop: called after every token.

    Raises:
        ValueError: a branch has no suffix or a cut outside the prefix.
    """
    if not branches:
        return []
    _check(len(prefix), branches)
    pack = _Pack(hf, prefix, branches)
    logits = pack.read_suffixes(branches)
    said = [Continuation() for _ in branches]
    active = list(range(len(branches)))
    for step in range(max_tokens):
        chosen = logits.argmax(-1)
        scores = token_scores(logits, chosen).tolist()
        for branch, token, row in zip(active, chosen.tolist(), scores, strict=True):
            said[branch].add(token, row)
        active = [branch for branch in active if not stop(branch, said[branch].tokens)]
        if not active or step + 1 == max_tokens:
            break
        logits = pack.read_tokens(
            active, [said[branch].tokens[-1] for branch in active]
        )
    return said


@torch.inference_mode()
def replay(
    hf: Any, prefix: Sequence[int], branch: Branch, tokens: Sequence[int]
) -> tuple[Continuation, list[int]]:
    """The same numbers from one plain forward pass: no cache, no mask, no packing.

    Returns:
        The scores of `tokens` as a continuation of the branch, and the model's own
        greedy choice at each of their places. Greedy decoding gives `tokens` if and
        only if the two agree everywhere.
    """
    sequence = [*prefix[: branch.cut], *branch.suffix, *tokens]
    ids = torch.tensor([sequence[:-1]], device=hf.device)
    # Unembed the wanted rows only: the rest would take [token x vocabulary].
    output = hf(input_ids=ids, use_cache=False, logits_to_keep=len(tokens))
    logits = output.logits[0].float()
    scores = token_scores(logits, torch.tensor(tokens, device=hf.device)).tolist()
    replayed = Continuation()
    for token, row in zip(tokens, scores, strict=True):
        replayed.add(token, row)
    return replayed, logits.argmax(-1).tolist()


def token_scores(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Logit, log-prob, margin and entropy of one token per row.

    Args:
        logits: `[row, vocabulary]`, float32.
        tokens: `[row]`, the token looked at.

    Returns:
        `[row, 4]`.
    """
    logprobs = logits.log_softmax(-1)
    best, second = logits.topk(2, dim=-1).values.unbind(-1)
    at = tokens[:, None]
    entropy = torch.special.entr(logprobs.exp()).sum(-1)
    columns = [logits.gather(-1, at)[:, 0], logprobs.gather(-1, at)[:, 0]]
    return torch.stack([*columns, best - second, entropy], dim=-1)


def tokens_computed(branches: Sequence[Branch], said: Sequence[Continuation]) -> int:
    """Tokens that the model read for these continuations."""
    if not branches:
        return 0
    suffixes = sum(len(branch.suffix) for branch in branches)
    fed_back = sum(len(continuation.tokens) - 1 for continuation in said)
    return max(branch.cut for branch in branches) + suffixes + fed_back


def longest(branches: Sequence[Branch], max_tokens: int) -> int:
    """Tokens of the longest sequence that the branches can become."""
    return max(branch.cut + len(branch.suffix) for branch in branches) + max_tokens


class _Pack:
    """A cache that holds the prefix and all branches, and who owns which key."""

    def __init__(
        self, hf: Any, prefix: Sequence[int], branches: Sequence[Branch]
    ) -> None:
        """Read the prefix up to the last cut."""
        self.hf = hf
        self.cuts = self._tensor([branch.cut for branch in branches])
        last = max(branch.cut for branch in branches)
        # Built without the config: layers with a sliding window must not drop keys.
        self.cache = DynamicCache()
        ids = self._tensor(prefix[:last])[None]
        hf(input_ids=ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.places = torch.arange(last, device=hf.device)  # [key]
        self.owners = torch.full_like(self.places, PREFIX)  # [key]
        self.next_places = [branch.cut for branch in branches]
        self.windows = attention_windows(hf.config)

    def read_suffixes(self, branches: Sequence[Branch]) -> torch.Tensor:
        """Read all suffixes at once; logits after each, `[branch, vocabulary]`."""
        sizes = [len(branch.suffix) for branch in branches]
        tokens = [token for branch in branches for token in branch.suffix]
        owners = [index for index, size in enumerate(sizes) for _ in range(size)]
        rows = (torch.tensor(sizes).cumsum(0) - 1).tolist()
        return self._read(tokens, owners, rows)

    def read_tokens(self, owners: list[int], tokens: list[int]) -> torch.Tensor:
        """Read one more token of each of these branches; `[owner, vocabulary]`."""
        return self._read(tokens, owners, list(range(len(tokens))))

    def _read(
        self, tokens: list[int], owners: list[int], rows: list[int]
    ) -> torch.Tensor:
        places = self._tensor([self._take_place(owner) for owner in owners])
        owner = self._tensor(owners)
        self.places = torch.cat([self.places, places])
        self.owners = torch.cat([self.owners, owner])
        output = self.hf(
            input_ids=self._tensor(tokens)[None],
            position_ids=places[None],
            attention_mask=self._masks(owner, places),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=self._tensor(rows),
        )
        return output.logits[0].float()

    def _masks(
        self, owner: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """One additive mask for all layers, or one for each type of layer.

        Float and not bool, because eager attention adds whatever mask it is given.
        """
        shared = self.owners == PREFIX
        before_cut = shared & (self.places < self.cuts[owner][:, None])
        own = (self.owners == owner[:, None]) & (self.places <= places[:, None])
        seen = before_cut | own
        # A window hides nothing before the longest branch is longer than it.
        length = max(self.next_places)
        reaches = {
            kind: None if window is None or window >= length else window
            for kind, window in self.windows.items()
        }
        if len(set(reaches.values())) == 1:
            return self._additive(seen, places, *set(reaches.values()))
        return {
            kind: self._additive(seen, places, reach) for kind, reach in reaches.items()
        }

    def _additive(
        self, seen: torch.Tensor, places: torch.Tensor, reach: int | None
    ) -> torch.Tensor:
        """Zero where a query sees a key, `[1, 1, query, key]`; the dtype's least else.

        Args:
            seen: `[query, key]`, what a query sees without a window.
            places: `[query]`.
            reach: tokens that a query sees, its own included; None: all before.
        """
        if reach is not None:
            seen = seen & (self.places > places[:, None] - reach)
        mask = torch.zeros(seen.shape, dtype=self.hf.dtype, device=seen.device)
        mask.masked_fill_(~seen, torch.finfo(self.hf.dtype).min)
        return mask[None, None]

    def _take_place(self, owner: int) -> int:
        self.next_places[owner] += 1
        return self.next_places[owner] - 1

    def _tensor(self, values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self.hf.device)


def _check(length: int, branches: Sequence[Branch]) -> None:
    for branch in branches:
        if not 1 <= branch.cut <= length or not branch.suffix:
            raise ValueError(f"no branch of a prefix of {length} tokens: {branch}")
