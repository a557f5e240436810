"""How close a choice of a token was: could rounding have changed it?"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from doubletake.model.decoder import Decoder
from doubletake.model.token_sampling import Sampling
from doubletake.stats.draws import uniforms
from doubletake.text.trace_rows import TracePrompt
from online_exit.looks import Looking


@dataclass(frozen=True)
class Margins:
    """Margins of choices, each from a plain forward pass."""

    decoder: Decoder
    sampling: Sampling
    """Of the thoughts."""

    def of_token(self, prompt: TracePrompt, ids: Sequence[int]) -> float:
        """Margin of the token of a thought that follows these tokens.

        Greedy: the highest logit minus the second, in nats. Sampled: the least change
        of probability that gives another token (`sampled_margin`).
        """
        logits = self._logits([*prompt.prompt_ids, *ids])
        if self.sampling.temperature == 0:
            return _greedy_margin(logits)
        uniform = uniforms(self.sampling.seed, prompt.trace, len(ids) + 1)[-1]
        return sampled_margin(logits, float(uniform), self.sampling)

    def of_trial(
        self,
        looking: Looking,
        ids: Sequence[int],
        tokens: Sequence[int],
        others: Sequence[int],
    ) -> float | None:
        """Margin of the first token that differs in two trial answers, in nats.

        Args:
            looking: makes the trial.
            ids: tokens of prompt and completion before the point.
            tokens: of one trial answer.
            others: of the other one.
        """
        shared = min(len(tokens), len(others))
        at = next((k for k in range(shared) if tokens[k] != others[k]), None)
        if at is None:
            return None
        suffix = looking.trials.branch(len(ids)).suffix
        return _greedy_margin(self._logits([*ids, *suffix, *tokens[:at]]))

    @torch.inference_mode()
    def _logits(self, ids: Sequence[int]) -> torch.Tensor:
        """Logits of the token that follows, `[vocabulary]`, float32."""
        input_ids = torch.tensor([list(ids)], device=self.decoder.device)
        output = self.decoder.hf(input_ids=input_ids, use_cache=False, logits_to_keep=1)
        return output.logits[0, -1].float()


def _greedy_margin(logits: torch.Tensor) -> float:
    best, second = logits.topk(2).values.tolist()
    return float(best - second)


def sampled_margin(logits: torch.Tensor, uniform: float, sampling: Sampling) -> float:
    """Distance of the drawn number to the next token, in probability.

    As in `choose_tokens`, tokens lie in the order of their probability on a line, each
    as long as its probability, up to `top_p`. The number picks a place on the line.

    Args:
        logits: `[vocabulary]`.
        uniform: the drawn number, in [0, 1).
        sampling: how tokens are chosen.
    """
    ranked = torch.sort(logits / sampling.temperature, descending=True).values
    mass = torch.softmax(ranked, -1).cumsum(-1, dtype=torch.float64)
    last = int((mass < sampling.top_p * mass[-1]).sum().clamp(max=len(mass) - 1))
    target = uniform * float(mass[last])
    # The first token may be more likely by any amount, and the last end the line.
    edges = mass[:last]
    return float((edges - target).abs().min()) if last else float(1 - mass[0])
