"""Decodes thoughts with something added, and scores the texts without it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import InterventionRecord
from doubletake.model.replayed_logprobs import replayed
from doubletake.model.token_sampling import Sampling
from doubletake.model.watched_text import TextReader
from doubletake.running.logs import Progress
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion
from steering.cells import Cell
from steering.contexts import Context
from steering.settings import DecodingSettings
from steering.turn_probability import TurnProbability
from steering.vectors import Vectors

Text = tuple[tuple[int, ...], tuple[int, ...]]
"""Tokens of prompt and thought so far, and of what was decoded after them."""
Completions = dict[tuple[str, str], Completion]
"""By the name of the cell and the trace."""


def continuation_text(context: Context, completion: Completion) -> Text:
    """Tokens before the cut, and those that were decoded after it."""
    return tuple(context.prefix), tuple(completion.ids[context.kept :])


@dataclass
class Decoding:
    """What decoding needs."""

    decoder: Decoder
    tokenizer: TraceTokenizer
    vectors: Vectors
    settings: DecodingSettings
    turn_ids: frozenset[int]
    """Tokens of turn words."""

    def draws(self, cell: Cell) -> int:
        """Number of draws of a control in the screening."""
        return self.vectors.draws(cell, self.settings.controls)

    def continued(self, cell: Cell, context: Context) -> GenerationRequest:
        """The request to continue a thought from its cut."""
        row = context.thought.trace
        room = self.decoder.max_positions - len(row["prompt_ids"])
        most = min(context.kept + self.settings.screen_tokens, room)
        return GenerationRequest(
            context.thought.name,
            row["prompt_ids"],
            most,
            context.ids,
            [0.0] * context.kept,  # log-probs are not read
            name=cell.name,
            interventions=self.vectors.interventions(cell),
            stepwise=True,
        )

    def whole(self, cell: Cell, one: DrawnThought) -> GenerationRequest:
        """The request to decode a whole thought."""
        most = one.limit(self.settings.max_tokens, self.decoder.max_positions)
        return GenerationRequest(
            one.name,
            one.trace["prompt_ids"],
            most,
            name=cell.name,
            interventions=self.vectors.interventions(cell),
            stepwise=True,
        )

    def decode(
        self,
        requests: Sequence[GenerationRequest],
        thoughts: Iterable[DrawnThought],
        progress: Progress,
        seed: int,
        record: InterventionRecord | None = None,
        turns: TurnProbability | None = None,
    ) -> Completions:
        """Completions of all requests.

        Args:
            requests: of these thoughts.
            thoughts: with their questions.
            progress: counts them.
            seed: of the random numbers, which all cells of a thought share.
            record: notes where states were changed.
            turns: notes how likely completions begin with a turn word.
        """
        s, decoder = self.settings, self.decoder
        sampling = Sampling(s.temperature, s.top_p, seed)
        stops = self.tokenizer.stops_with(decoder.stop_ids)
        questions = {one.name: one.question for one in thoughts}
        completions = {}
        for completion, tokens in generate(
            decoder.hf,
            # Rows of a batch with like lengths keep fewer keys; cells stay together.
            sorted(requests, key=lambda one: len(one.prompt_ids) + len(one.ids)),
            sampling,
            stops,
            s.batch_size,
            steering=turns,
            decoder=decoder,
            reader=TextReader(self.tokenizer, questions),
            record=record,
        ):
            if completion is not None:
                completions[completion.name, completion.trace] = completion
            progress.update(completion is not None, tokens)
        return completions

    def logprobs(
        self, texts: Sequence[Text], progress: Progress
    ) -> dict[Text, list[float]]:
        """Log-probs of the tokens of texts without steering, in nats (`replayed`)."""
        found = replayed(self.decoder, texts, self.settings.batch_memory)
        progress.update(tokens=sum(len(ids) for _, ids in dict.fromkeys(texts)))
        values = (one.tolist() for one in found)
        return dict(zip(texts, values, strict=True))
