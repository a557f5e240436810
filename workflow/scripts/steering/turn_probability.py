"""How likely the next token is a turn word, where a continuation begins."""

from collections.abc import Iterable

import torch

from doubletake.model.slots import Slots


class TurnProbability:
    """Notes the probability of turn words at the first token of each completion.

    It is a `Steering` of the decoding that changes nothing. A continuation turns back
    or does not, but its probability to begin with a turn word has no noise of sampling.
    """

    def __init__(self, tokens: Iterable[int]) -> None:
        """Nothing is noted.

        Args:
            tokens: ids of turn words, at least one.
        """
        self.tokens = sorted(tokens)
        self.found: dict[tuple[str, str], float] = {}
        """By the name and the trace of the request: at temperature 1, before top-p,
        after what was added to the states."""

    def __call__(
        self, slots: Slots, rows: list[int], logits: torch.Tensor
    ) -> torch.Tensor:
        """The logits [slot, vocabulary] as they are."""
        first = []
        for place, row in enumerate(rows):
            state = slots.states[row]
            assert state is not None
            if len(state.ids) == len(state.request.ids):
                first.append((place, (state.request.name, state.request.trace)))
        if first:
            own = logits[[place for place, _ in first]].float().softmax(-1)
            shares = own[:, self.tokens].sum(-1).tolist()
            self.found |= dict(zip((key for _, key in first), shares, strict=True))
        return logits
