"""What both scripts that decode read, and how it becomes ready to decode with."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from directions.reading import problems_to_test, read_directions
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from problems.tables import PROBLEMS
from steering.contexts import Drawn, draw
from steering.decoding import Decoding
from steering.settings import DecodingSettings
from steering.vectors import Vectors
from traces.tables import TRACES
from turns.reading import BACKTRACK
from turns.tables import TURN_WORDS


@dataclass(frozen=True)
class StudyPaths:
    """Files of the study."""

    problems: Path
    traces: Path
    events: Path
    parts: Path
    """`directions/problems`."""
    directions: Path
    words: Path
    """`turns/words`."""

    def traces_table(self) -> pl.DataFrame:
        """The study's thoughts."""
        return TRACES.read(self.traces)

    def tested(self) -> set[str]:
        """Problems on which no direction was fitted."""
        return problems_to_test(self.parts)

    def drawn(self, traces: pl.DataFrame, settings: DecodingSettings) -> Drawn:
        """Contexts and thoughts of the whole study."""
        problems, events = PROBLEMS.read(self.problems), EVENTS.read(self.events)
        return draw(traces, problems, events, self.tested(), settings)

    def decoding(self, model: ModelSettings, settings: DecodingSettings) -> Decoding:
        """The model, with what can be added to its states.

        Raises:
            InputError: the directions belong to another model.
        """
        directions = read_directions(self.directions, model_name(model))
        tokenizer, decoder = load_tokenizer(model), load_decoder(model)
        vectors = Vectors(decoder, directions, settings.seed)
        words = TURN_WORDS.read(self.words).filter(group=BACKTRACK)
        turn_ids = frozenset(words["token_id"].to_list())
        return Decoding(decoder, tokenizer, vectors, settings, turn_ids)


def is_imported(traces: pl.DataFrame) -> bool:
    """Whether the thoughts come from a file, so that the model did not decode them."""
    return bool(traces["logprobs"].null_count())
