"""Continuations of many cuts of one sequence, which share a single prefill.

A branch sees a prefix of the sequence, then its own suffix, then its own continuation.
The prefix is computed once, up to the last cut. All suffixes go through the model in
one packed forward pass: they are more queries on the same cache. Each query has the
position that it would have in a separate sequence. A mask hides the other branches and
the part of the prefix after the branch's cut. Layers with a sliding window get another
mask, which also hides keys outside the window. Then all branches are decoded
together, with one packed step per token.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from doubletake.model.architectures import attention_windows

PREFIX = -1  # branch number of the keys in the prefix

Stop = Callable[[int, list[int]], bool]
"""Given a branch's number and its tokens so far: whether its continuation ends."""


@dataclass(frozen=True)
class Branch:
    """A sequence to continue: `prefix[:cut]`, then `suffix`."""

    cut: int
    """Number of prefix tokens that the branch sees, at least 1."""
    suffix: tuple[int, ...]
    """Token ids after the cut, at least one."""


@dataclass
class Continuation:
    """Tokens after a branch's suffix; every list has one entry per token."""

    tokens: list[int] = field(default_factory=list)
    logits: list[float] = field(default_factory=list)
    """Raw logit of the token."""
    logprobs: list[float] = field(default_factory=list)
    """Its log-probability (nats)."""
    margins: list[float] = field(default_factory=list)
    """Top-1 minus top-2 logit at the token."""
    entropies: list[float] = field(default_factory=list)
    """Entropy of the distribution at the token (nats)."""
    last_logprobs: torch.Tensor | None = None
    """`[vocabulary]`, log-probs of all tokens where the last one stands (nats); None
    if the continuation reached its limit."""

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
    """Greedy continuations of all branches, in the order of the branches.

    A continuation ends with the token after which `stop` is true, or after
    `max_tokens`.

    Args:
        hf: causal language model of transformers (sdpa or eager attention).
        prefix: token ids of the shared sequence.
        branches: where the sequence is cut, and which suffix follows.
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
    continuations = [Continuation() for _ in branches]
    active = list(range(len(branches)))
    for step in range(max_tokens):
        chosen = logits.argmax(-1)
        scores = token_scores(logits, chosen).tolist()
        for branch, token, row in zip(active, chosen.tolist(), scores, strict=True):
            continuations[branch].add(token, row)
        going_on = []
        for row, branch in enumerate(active):
            continuation = continuations[branch]
            if stop(branch, continuation.tokens):
                continuation.last_logprobs = logits[row].log_softmax(-1)
            else:
                going_on.append(branch)
        active = going_on
        if not active or step + 1 == max_tokens:
            break
        last_tokens = [continuations[branch].tokens[-1] for branch in active]
        logits = pack.read_tokens(active, last_tokens)
    return continuations


@torch.inference_mode()
def replay_unpacked(
    hf: Any, prefix: Sequence[int], branch: Branch, tokens: Sequence[int]
) -> tuple[Continuation, list[int]]:
    """Scores of a continuation from one plain forward pass, without cache and packing.

    Returns:
        The scores of `tokens` as a continuation of the branch, and the most likely
        token at each of their positions. Greedy decoding gives `tokens` if and only if
        these are the most likely ones.
    """
    sequence = [*prefix[: branch.cut], *branch.suffix, *tokens]
    ids = torch.tensor([sequence[:-1]], device=hf.device)
    # Unembed the continuation's positions only, to save memory.
    output = hf(input_ids=ids, use_cache=False, logits_to_keep=len(tokens))
    logits = output.logits[0].float()
    scores = token_scores(logits, torch.tensor(tokens, device=hf.device)).tolist()
    replayed = Continuation()
    for token, row in zip(tokens, scores, strict=True):
        replayed.add(token, row)
    replayed.last_logprobs = logits[-1].log_softmax(-1)
    return replayed, logits.argmax(-1).tolist()


def token_scores(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Logit, log-prob, margin and entropy of one token per row.

    Args:
        logits: `[row, vocabulary]`, float32.
        tokens: `[row]`, the token that is scored.

    Returns:
        `[row, 4]`.
    """
    logprobs = logits.log_softmax(-1)
    best, second = logits.topk(2, dim=-1).values.unbind(-1)
    index = tokens[:, None]
    entropy = torch.special.entr(logprobs.exp()).sum(-1)
    columns = [logits.gather(-1, index)[:, 0], logprobs.gather(-1, index)[:, 0]]
    return torch.stack([*columns, best - second, entropy], dim=-1)


def tokens_computed(
    branches: Sequence[Branch], continuations: Sequence[Continuation]
) -> int:
    """Number of tokens that the model read for these continuations."""
    if not branches:
        return 0
    suffixes = sum(len(branch.suffix) for branch in branches)
    fed_back = sum(len(continuation.tokens) - 1 for continuation in continuations)
    return max(branch.cut for branch in branches) + suffixes + fed_back


def longest_sequence(branches: Sequence[Branch], max_tokens: int) -> int:
    """Number of tokens of the longest sequence that the branches can become."""
    return max(branch.cut + len(branch.suffix) for branch in branches) + max_tokens


class _Pack:
    """A cache with the keys of the prefix and of all branches."""

    def __init__(
        self, hf: Any, prefix: Sequence[int], branches: Sequence[Branch]
    ) -> None:
        """Read the prefix up to the last cut."""
        self.hf = hf
        self.cuts = self._tensor([branch.cut for branch in branches])
        last = max(branch.cut for branch in branches)
        # No config here: with it, layers with a sliding window would drop keys.
        self.cache = DynamicCache()
        ids = self._tensor(prefix[:last])[None]
        hf(input_ids=ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.key_positions = torch.arange(last, device=hf.device)  # [key]
        self.key_branches = torch.full_like(self.key_positions, PREFIX)  # [key]
        self.next_positions = [branch.cut for branch in branches]
        self.windows = attention_windows(hf.config)

    def read_suffixes(self, branches: Sequence[Branch]) -> torch.Tensor:
        """Read all suffixes at once; logits after each, `[branch, vocabulary]`."""
        sizes = [len(branch.suffix) for branch in branches]
        tokens = [token for branch in branches for token in branch.suffix]
        numbers = [index for index, size in enumerate(sizes) for _ in range(size)]
        rows = (torch.tensor(sizes).cumsum(0) - 1).tolist()
        return self._read(tokens, numbers, rows)

    def read_tokens(self, numbers: list[int], tokens: list[int]) -> torch.Tensor:
        """Read one more token of each of these branches; `[branch, vocabulary]`."""
        return self._read(tokens, numbers, list(range(len(tokens))))

    def _read(
        self, tokens: list[int], numbers: list[int], rows: list[int]
    ) -> torch.Tensor:
        """Read packed tokens; logits of the wanted rows.

        Args:
            tokens: token ids.
            numbers: the branch of each token.
            rows: tokens whose logits are wanted.
        """
        positions = self._tensor([self._take_position(number) for number in numbers])
        branches = self._tensor(numbers)
        self.key_positions = torch.cat([self.key_positions, positions])
        self.key_branches = torch.cat([self.key_branches, branches])
        output = self.hf(
            input_ids=self._tensor(tokens)[None],
            position_ids=positions[None],
            attention_mask=self._masks(branches, positions),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=self._tensor(rows),
        )
        return output.logits[0].float()

    def _masks(
        self, branches: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """One additive mask for all layers, or one for each type of layer.

        Float and not bool, because eager attention adds the mask to its scores.

        Args:
            branches: `[query]`, the branch of each query.
            positions: `[query]`.
        """
        in_prefix = self.key_branches == PREFIX
        before_cut = in_prefix & (self.key_positions < self.cuts[branches][:, None])
        same_branch = self.key_branches == branches[:, None]
        visible = before_cut | (
            same_branch & (self.key_positions <= positions[:, None])
        )
        # A window hides nothing until the longest branch is longer than the window.
        length = max(self.next_positions)
        windows = {
            kind: None if window is None or window >= length else window
            for kind, window in self.windows.items()
        }
        if len(set(windows.values())) == 1:
            return self._additive(visible, positions, *set(windows.values()))
        return {
            kind: self._additive(visible, positions, window)
            for kind, window in windows.items()
        }

    def _additive(
        self, visible: torch.Tensor, positions: torch.Tensor, window: int | None
    ) -> torch.Tensor:
        """Mask `[1, 1, query, key]`: 0 where a key is visible, else the dtype's least.

        Args:
            visible: `[query, key]`, the visible keys without a window.
            positions: `[query]`.
            window: number of tokens that a query sees, itself included; None: all
                before it.
        """
        if window is not None:
            visible = visible & (self.key_positions > positions[:, None] - window)
        mask = torch.zeros(visible.shape, dtype=self.hf.dtype, device=visible.device)
        mask.masked_fill_(~visible, torch.finfo(self.hf.dtype).min)
        return mask[None, None]

    def _take_position(self, branch: int) -> int:
        self.next_positions[branch] += 1
        return self.next_positions[branch] - 1

    def _tensor(self, values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self.hf.device)


def _check(length: int, branches: Sequence[Branch]) -> None:
    for branch in branches:
        if not 1 <= branch.cut <= length or not branch.suffix:
            raise ValueError(f"no branch of a prefix of {length} tokens: {branch}")
