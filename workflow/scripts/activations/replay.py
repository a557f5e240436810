"""How far a pass over traces can be trusted: replayed log-probs and the self-proof."""

from collections.abc import Sequence
from typing import Any

import torch

from doubletake.model.lens import Lens
from doubletake.model.proofs import PROOF_TOKENS, Proof

REPLAY_BOUND = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}  # mean, nats
REPLAY_MARKS = (0.001, 0.01, 0.1)  # nats


def replayed_off(
    lens: Lens,
    states: torch.Tensor,
    ids: Sequence[int],
    logprobs: Sequence[float],
) -> torch.Tensor:
    """|replayed - generated| log-prob of the completion's tokens.

    Args:
        lens: of the model.
        states: [token, d_model], after the final norm; more than `ids` where padded.
        ids: prompt and completion.
        logprobs: of the completion's tokens, as generated (nats).

    Returns:
        [token], nats, on the CPU.
    """
    prompt = len(ids) - len(logprobs)
    targets = torch.tensor(ids[prompt:], device=states.device)
    found = lens.logprobs(states[prompt - 1 : len(ids) - 1], targets).cpu()
    return (found - torch.tensor(logprobs)).abs()


def verification_rows(
    proof: Proof, differences: torch.Tensor, dtype: str
) -> list[dict[str, Any]]:
    """How far the pass can be trusted, in figures.

    Maxima, means and shares, so that the shards' tables merge into that of the whole.

    Args:
        proof: of the model.
        differences: [token], |replayed - generated| log-prob, nats.
        dtype: of the model.

    Returns:
        Rows of `schemas.VERIFICATION` without `stage`; where nothing was generated, of
        the replay only the count, without a value.
    """
    n = len(differences)
    figures: list[tuple[str, float | None, str, float | None]] = [
        ("tokens", float(n) if n else None, "tokens", None)
    ]
    if n:
        values = differences.double()
        figures += [
            ("max |difference|", values.max().item(), "nats", None),
            ("mean |difference|", values.mean().item(), "nats", REPLAY_BOUND[dtype]),
        ]
        figures += [
            (f"|difference| > {mark:g} nats", share.item(), "share", None)
            for mark in REPLAY_MARKS
            for share in [(values > mark).double().mean()]
        ]
    rows: list[dict[str, Any]] = [
        {"check": "replayed log-probs against generated ones", "statistic": name}
        | {"value": value, "unit": unit, "n": n, "bound": bound}
        for name, value, unit, bound in figures
    ]
    return rows + [
        {"check": f"self-proof: {name}", "statistic": "max relative error"}
        | {"value": error, "unit": "1", "n": PROOF_TOKENS, "bound": proof.bound}
        for name, error in proof.errors.items()
    ]
