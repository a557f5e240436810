"""Do all methods say the same of the same backtracks?

Inputs
    effects: `loop.tables.LOOP_EFFECTS`.
    problems, traces, events, turns, truth, twins, early_exit, logit_lens, probing,
    probing_scores, attention, attention_heads, tokens, words, prompts, exact_words,
    resampling, look_back: tables of the stages before.
    stop_words: words that are not ranked.

Outputs
    loop: `LOOP`, a row per selected backtrack.
    correlations: `LOOP_CORRELATIONS`.
    planted: `LOOP_PLANTED`.
    causes: `LOOP_CAUSES`.
    means: `LOOP_MEANS`.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention.tables import ATTENTION, ATTENTION_HEADS
from attribution.tables import (
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from doubletake.tables.table import Table
from doubletake.text.words import read_stop_words
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from exact_attribution.tables import EXACT_WORDS
from logit_lens.tables import LOGIT_LENS
from look_back.tables import LOOK_BACK
from loop.cause_ranks import contexts_of, rankings_of
from loop.event_rows import loop_table
from loop.relations import relations
from loop.summary_rows import causes_table, means_table
from loop.tables import (
    LOOP,
    LOOP_CAUSES,
    LOOP_CORRELATIONS,
    LOOP_EFFECTS,
    LOOP_MEANS,
    LOOP_PLANTED,
)
from probing.tables import PROBING, PROBING_SCORES
from problems.tables import PROBLEMS
from resampling.tables import RESAMPLING
from traces.tables import TRACES
from truth.tables import TRUTH
from turns.tables import TURNS
from twins.tables import TWINS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_loop")

TABLES: dict[str, Table] = {
    "effects": LOOP_EFFECTS,
    "problems": PROBLEMS,
    "traces": TRACES,
    "events": EVENTS,
    "turns": TURNS,
    "truth": TRUTH,
    "twins": TWINS,
    "early_exit": EARLY_EXIT,
    "logit_lens": LOGIT_LENS,
    "probing": PROBING,
    "probing_scores": PROBING_SCORES,
    "attention": ATTENTION,
    "attention_heads": ATTENTION_HEADS,
    "tokens": ATTRIBUTION_TOKENS,
    "words": ATTRIBUTION_WORDS,
    "prompts": ATTRIBUTION_PROMPTS,
    "exact_words": EXACT_WORDS,
    "resampling": RESAMPLING,
    "look_back": LOOK_BACK,
}
"""The tables that are read, by name of the rule's input."""


@dataclass(frozen=True)
class Settings:
    """What is read of the section `loop` of the config."""

    lens_layer: float
    """Boundary of the logit lens, as a share of the layers."""
    leading_heads: int
    """Number of heads whose writing is added up."""
    words: int
    """How many words count as first."""


def main(
    *,
    inputs: dict[str, Path],
    stop_words_path: Path,
    outputs: dict[str, Path],
    settings: Settings,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, join them, test, write."""
    tables = {name: table.read(inputs[name]) for name, table in TABLES.items()}
    turns = tables["turns"].filter("selected", kind="backtrack")
    loop = loop_table(turns, tables, settings.lens_layer, settings.leading_heads)
    contexts = contexts_of(tables, read_stop_words(stop_words_path))
    rankings = rankings_of(contexts, tables["exact_words"])
    correlations, planted = relations(loop, intervals)
    logger.info("%d backtracks, %d with a planted cause", loop.height, len(contexts))
    LOOP_CORRELATIONS.write(correlations, outputs["correlations"])
    LOOP_PLANTED.write(planted, outputs["planted"])
    causes = causes_table(rankings, settings.words, intervals)
    LOOP_CAUSES.write(causes, outputs["causes"])
    LOOP_MEANS.write(means_table(loop, intervals), outputs["means"])
    LOOP.write(loop, outputs["loop"])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            inputs={name: Path(getattr(snakemake.input, name)) for name in TABLES},
            stop_words_path=Path(snakemake.input.stop_words),
            outputs={name: Path(path) for name, path in snakemake.output.items()},
            settings=Settings(**snakemake.params.settings),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
