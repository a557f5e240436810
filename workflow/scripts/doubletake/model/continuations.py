"""Continuations of a sequence: their tokens, and how the model scores each token."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from doubletake.model.branches import Branch
from doubletake.model.decoder import Decoder
from doubletake.model.norm_and_softcap import soft_capped
from doubletake.model.token_sampling import Sampling, choose_tokens
from doubletake.model.watched_places import UNEMBED_ROWS, NextToken, next_tokens
from doubletake.stats.draws import uniforms


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
    """`[vocabulary]`, log-probs of all tokens where the last one stands (nats), on the
    CPU; None if the continuation reached its limit."""
    watched: list[NextToken] = field(default_factory=list)
    """The next token at each watched place of the branch, in their order."""
    states: torch.Tensor | None = None
    """`[boundary, d_model]`, the states that the branch keeps, on the CPU; None if it
    keeps none."""

    def add(self, token: int, scores: Sequence[float]) -> None:
        """Append a token with its logit, log-prob, margin and entropy."""
        self.tokens.append(token)
        lists = (self.logits, self.logprobs, self.margins, self.entropies)
        for values, score in zip(lists, scores, strict=True):
            values.append(score)


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


class GrowingContinuations:
    """The continuations of a batch, which grow by a token per step."""

    def __init__(self, decoder: Decoder, branches: Sequence[Branch]) -> None:
        """Start with no tokens."""
        self.decoder, self.branches = decoder, branches
        self.continuations = [Continuation() for _ in branches]
        self.random = [
            uniforms(branch.sampling.seed, branch.name, branch.max_tokens)
            if branch.sampling.temperature
            else None
            for branch in branches
        ]

    def add_tokens(self, numbers: list[int], states: torch.Tensor) -> list[int]:
        """Add a token to each of these branches; return those that go on.

        Args:
            numbers: of the branches.
            states: `[branch, d_model]`, after the final norm at their last tokens.
        """
        going_on = []
        for start in range(0, len(numbers), UNEMBED_ROWS):
            rows = slice(start, start + UNEMBED_ROWS)
            going_on += self._add(numbers[rows], self._logits(states[rows]))
        return going_on

    def watch(self, states: list[torch.Tensor]) -> None:
        """Look at the next token at all watched places.

        Args:
            states: `[d_model]` per place, after the final norm, branch after branch.
        """
        watched = [
            (continuation, watch.token)
            for continuation, branch in zip(
                self.continuations, self.branches, strict=True
            )
            for watch in branch.watched
        ]
        for start in range(0, len(watched), UNEMBED_ROWS):
            rows = slice(start, start + UNEMBED_ROWS)
            tokens = [token for _, token in watched[rows]]
            found = next_tokens(self._logits(torch.stack(states[rows])), tokens)
            for (continuation, _), item in zip(watched[rows], found, strict=True):
                continuation.watched.append(item)

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        """Logits of final states, in float32: `[state, vocabulary]`."""
        scores = self.decoder.unembed(states)
        return soft_capped(scores, self.decoder.softcap).float()

    def _add(self, numbers: list[int], logits: torch.Tensor) -> list[int]:
        chosen = self._choose(numbers, logits)
        scores = token_scores(logits, chosen).tolist()
        ended, going_on = [], []
        for row, (number, token) in enumerate(
            zip(numbers, chosen.tolist(), strict=True)
        ):
            branch, continuation = self.branches[number], self.continuations[number]
            continuation.add(token, scores[row])
            if branch.stop(continuation.tokens):
                ended.append(row)
            elif len(continuation.tokens) < branch.max_tokens:
                going_on.append(number)
        for row, logprobs in zip(
            ended, logits[ended].log_softmax(-1).cpu(), strict=True
        ):
            self.continuations[numbers[row]].last_logprobs = logprobs
        return going_on

    def _choose(self, numbers: list[int], logits: torch.Tensor) -> torch.Tensor:
        """Next token of every branch: `[branch]`."""
        chosen = logits.argmax(-1)
        sampled: dict[Sampling, list[int]] = {}
        for row, number in enumerate(numbers):
            if self.random[number] is not None:
                sampling = replace(self.branches[number].sampling, seed=0)
                sampled.setdefault(sampling, []).append(row)
        for sampling, rows in sampled.items():
            uniform = torch.tensor([self._uniform(numbers[row]) for row in rows])
            index = torch.tensor(rows, device=logits.device)
            chosen[index] = choose_tokens(
                logits[index], uniform.to(logits.device), sampling
            )
        return chosen

    def _uniform(self, number: int) -> float:
        random = self.random[number]
        assert random is not None
        return float(random[len(self.continuations[number].tokens)])
