"""Numbers of the verification table: divergences and attention by plain passes."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch

from doubletake.model.attention_weights import eager_weights
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import replaced
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow
from injection.contexts import Context
from injection.forward_pass import divergence
from injection.free_runs import FreeRuns, Run, name_of
from injection.injections import Injection
from injection.tables import ALWAYS, attending_distances

# ASSUME: in float32, sums in another order change a divergence by less than this share
# of the largest one of the injection (or of 1e-3 nats, where all are smaller), and a
# share of attention by less than 1e-5; 16-bit models have no bound.
KL_BOUND, ATTENTION_BOUND = 1e-3, 1e-5
SMALLEST = 1e-3
EAGER_TOKENS = 2048  # longest sequence that is checked against eager attention


@dataclass(frozen=True)
class Measured:
    """Results of one context."""

    context: Context
    injections: Sequence[Injection]
    kl: torch.Tensor
    """[injection, distance], nats."""
    attended: Sequence[Injection | None]
    """The injections whose attention was read; None: unsteered."""
    attention: torch.Tensor
    """[attended, layer, distance of `attending_distances`]."""


@dataclass
class Differences:
    """Differences of the measured values to plain passes."""

    kl: Largest = field(default_factory=Largest)
    """Of divergences, relative to the largest one of the same injection."""
    attention: Largest = field(default_factory=Largest)
    """Of the attention to the token."""
    elsewhere: int = 0
    """Free runs whose states were changed at other tokens than they should be."""
    runs: int = 0
    """All free runs."""

    def replay(
        self, decoder: Decoder, measured: Sequence[Measured], settings: Verification
    ) -> None:
        """Compute some injections again, each by plain passes of whole sequences."""
        # Without injections, because single passes cost more than rows of a batch do.
        work = sum(len(one.context.ids) for one in measured)
        cases = [
            Case((number, row), 2.0 * len(one.context.ids))
            for number, one in enumerate(measured)
            for row, injection in enumerate(one.injections)
            if injection.factor == 1
        ]
        for case in drawn(cases, work, settings):
            number, row = map(int, case.name)
            one = measured[number]
            expected = plain_divergences(decoder, one.context, one.injections[row])
            size = max(expected.max().item(), SMALLEST)
            error = (one.kl[row] - expected).abs().max() / size
            self.kl.add(error.item())
        read = [
            Case((number, row), float(len(one.context.ids)))
            for number, one in enumerate(measured)
            for row in range(len(one.attended))
            if len(one.context.ids) <= EAGER_TOKENS
        ]
        for case in drawn(read, work, settings):
            number, row = map(int, case.name)
            one = measured[number]
            expected = plain_attention(decoder, one.context, one.attended[row])
            last = one.attention[row, :, -1]
            self.attention.add((last - expected).abs().max().item())

    def add_runs(self, free: FreeRuns, runs: Sequence[Run]) -> None:
        """Compare the decoder's own record with the places where vectors belong.

        Args:
            free: after its runs.
            runs: all of them.
        """
        for context, one in runs:
            own = free.done[name_of(one), context.trace]
            given = free.given(context)
            changed = free.record.positions.get((own.name, own.trace), [])
            expected = [] if one is None else [0]
            if one is not None and one.mode == ALWAYS:
                expected = list(range(max(len(changed), len(own.ids) - given)))
            self.elsewhere += changed != expected
            self.runs += 1

    def figures(self, dtype: str) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds."""
        is_exact = dtype == "float32"
        rows = (
            (
                "divergence by distance, on a cached prefix against plain passes",
                "max |difference| / largest of the injection",
                self.kl,
                "share",
                KL_BOUND,
            ),
            (
                "attention to the injected token against eager attention weights",
                "max |difference|",
                self.attention,
                "share",
                ATTENTION_BOUND,
            ),
        )
        places = VerificationRow(
            check="free runs with changes at other tokens than wanted",
            statistic="number",
            value=float(self.elsewhere) if self.runs else None,
            unit="runs",
            n=self.runs,
            bound=0.0,
            merge="sum",
        )
        return [
            places,
            *(
                VerificationRow(
                    check=check,
                    statistic=statistic,
                    value=worst.value,
                    unit=unit,
                    n=worst.n,
                    bound=bound if is_exact else None,
                    merge="max",
                )
                for check, statistic, worst, unit, bound in rows
            ),
        ]


@torch.inference_mode()
def plain_divergences(
    decoder: Decoder, context: Context, one: Injection
) -> torch.Tensor:
    """KL(unsteered || injected) by two passes of the whole sequence: [distance]."""
    logprobs = []
    for injection in (None, one):
        ids = torch.tensor([context.ids], device=decoder.device)
        with _changed(decoder, context, injection):
            logits = decoder.hf(input_ids=ids, use_cache=False).logits
        logprobs.append(logits[0, context.token :].double().log_softmax(-1).cpu())
    return divergence(*logprobs)


def plain_attention(
    decoder: Decoder, context: Context, one: Injection | None
) -> torch.Tensor:
    """Attention from the largest distance, by eager attention: [layer]."""
    last = context.token + attending_distances(context.distance)[-1]
    with _changed(decoder, context, one):
        weights = eager_weights(decoder, context.ids[: last + 1])
    return weights[:, :, context.token].mean(-1)


def _changed(
    decoder: Decoder, context: Context, one: Injection | None
) -> AbstractContextManager[None]:
    """Add a vector in passes of the whole sequence inside the block."""
    places: Iterable[tuple[str, int]] = [] if one is None else [("resid", one.boundary)]

    def change(_: str, __: int, states: torch.Tensor) -> torch.Tensor:
        assert one is not None
        end = None if one.mode == ALWAYS else context.token + 1
        added = torch.zeros_like(states)
        added[:, context.token : end] = one.vector.to(states.device, states.dtype)
        return states + added

    return replaced(decoder, change, set(places))
