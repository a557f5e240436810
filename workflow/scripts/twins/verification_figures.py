"""Numbers of the verification table: batched against plain passes, and generation."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from doubletake.model.decoder import Decoder
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow
from twins.forward_pass import Measured, contexts_of, measured_alone
from twins.pairs import Pair
from twins.turn_probability import FirstWords

# ASSUME: in float32, sums in another order change a share by less than 1e-4, and a
# log-prob by less than 1e-3 nats; 16-bit models have no bound.
SHARE_BOUND, LOGPROB_BOUND = 1e-4, 1e-3


@dataclass
class Differences:
    """Differences of the batched passes to plain passes and to the generation."""

    share: Largest = field(default_factory=Largest)
    """Of the probability of turning at temperature 1, to plain passes."""
    logprob: Largest = field(default_factory=Largest)
    """Of the log-prob of the trace's next token, to the generation, nats."""

    def replay(
        self,
        decoder: Decoder,
        pairs: Sequence[Pair],
        measured: Sequence[Measured],
        words: FirstWords,
        settings: Verification,
    ) -> None:
        """Compute some contexts alone, and compare all with the generation.

        Args:
            decoder: the model.
            pairs: all pairs.
            measured: of `contexts_of(pairs)`.
            words: the first words.
            settings: how many contexts are computed alone.
        """
        contexts = contexts_of(pairs)
        cases = [Case((context.index,), len(context.ids)) for context in contexts]
        work = sum(case.cost for case in cases)
        for case in drawn(cases, work, settings):
            index = int(case.name[0])
            alone = measured_alone(decoder, contexts[index], words)
            # The raw share is smooth; top-p may cut a token on one side alone.
            self.share.add(abs(alone.raw - measured[index].raw))
        for k, pair in enumerate(pairs):
            if pair.logprob is not None:
                self.logprob.add(abs(measured[2 * k].logprob - pair.logprob))

    def figures(self, dtype: str) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds."""
        is_exact = dtype == "float32"
        return [
            VerificationRow(
                check="probability of turning, batched against plain forward passes",
                statistic="max |difference|",
                value=self.share.value,
                unit="probability",
                n=self.share.n,
                bound=SHARE_BOUND if is_exact else None,
                merge="max",
            ),
            VerificationRow(
                check="log-prob of the first word at the boundary, context against "
                "generation",
                statistic="max |difference|",
                value=self.logprob.value,
                unit="nats",
                n=self.logprob.n,
                bound=LOGPROB_BOUND if is_exact else None,
                merge="max",
            ),
        ]
