"""Numbers of the verification table: replayed log-probs, error of the sum of parts."""

from collections.abc import Sequence

import torch

from doubletake.model.lens import Lens
from doubletake.model.self_proof import PROOF_TOKENS, Proof
from doubletake.tables.verification import Merge, VerificationRow

# ASSUME: bounds of the mean difference (nats) by dtype, chosen by hand.
REPLAY_BOUND = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}
REPLAY_MARKS = (0.001, 0.01, 0.1)  # nats; the share of larger differences is given


def logprob_differences(
    lens: Lens,
    states: torch.Tensor,
    ids: Sequence[int],
    logprobs: Sequence[float],
) -> torch.Tensor:
    """|replayed - generated| log-prob of the completion's tokens.

    Args:
        lens: of the model.
        states: [token, d_model], after the final norm; may be longer than `ids` by
            padding.
        ids: token ids of prompt and completion.
        logprobs: of the completion's tokens, as generated (nats).

    Returns:
        [token], nats, on the CPU.
    """
    prompt = len(ids) - len(logprobs)
    targets = torch.tensor(ids[prompt:], device=states.device)
    replayed = lens.logprobs(states[prompt - 1 : len(ids) - 1], targets).cpu()
    return (replayed - torch.tensor(logprobs)).abs()


def verification_figures(
    proof: Proof, differences: torch.Tensor, dtype: str
) -> list[VerificationRow]:
    """Figures of the replay, then figures of the self-proof.

    Args:
        proof: of the model.
        differences: [token], |replayed - generated| log-prob, nats.
        dtype: of the model.

    Returns:
        Without a replayed token, the replay has one figure only: the number of tokens,
        without a value.
    """
    return [*_replay_figures(differences, dtype), *_proof_figures(proof)]


def _replay_figures(differences: torch.Tensor, dtype: str) -> list[VerificationRow]:
    n, values = len(differences), differences.double()

    def figure(
        statistic: str,
        value: float | None,
        unit: str,
        merge: Merge,
        bound: float | None = None,
    ) -> VerificationRow:
        return VerificationRow(
            check="replayed log-probs against generated ones",
            statistic=statistic,
            value=value,
            unit=unit,
            n=n,
            bound=bound,
            merge=merge,
        )

    count = figure("tokens", float(n) if n else None, "tokens", "sum")
    if not n:
        return [count]
    largest, mean = values.max().item(), values.mean().item()
    return [
        count,
        figure("max |difference|", largest, "nats", "max"),
        figure("mean |difference|", mean, "nats", "mean", REPLAY_BOUND[dtype]),
        *(
            figure(f"|difference| > {mark:g} nats", share.item(), "share", "mean")
            for mark in REPLAY_MARKS
            for share in [(values > mark).double().mean()]
        ),
    ]


def _proof_figures(proof: Proof) -> list[VerificationRow]:
    return [
        VerificationRow(
            check=f"self-proof: {name}",
            statistic="max relative error",
            value=error,
            unit="1",
            n=PROOF_TOKENS,
            bound=proof.bound,
            merge="max",
        )
        for name, error in proof.errors.items()
    ]
