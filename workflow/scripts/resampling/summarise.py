"""How stable are turns, what predicts them, and which sentences matter?

Inputs
    resampling, rollouts: `RESAMPLING`, `RESAMPLING_ROLLOUTS`.
    traces, events, truth: the study's thoughts, events and planted causes.
    points: the trial answers at the ends of sentences (`TRIAL_POINTS`).

Outputs
    sentences: the importance of sentences (`RESAMPLING_SENTENCES`).
    summary, stability: how often draws do as the study's thought did
        (`RESAMPLING_SUMMARY`, `RESAMPLING_STABILITY`).
    prediction: scores against the resampled rate (`RESAMPLING_PREDICTION`).
    importance: importance by kind of sentence (`RESAMPLING_IMPORTANCE`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import thought_span, thought_tokens
from events.tables import EVENTS
from resampling.importance import ImportanceSettings, ThoughtRollouts, sentence_row
from resampling.kind_means import importance_table
from resampling.prediction import prediction_table
from resampling.similarity import Similarity
from resampling.stability import stability_table, summary_table
from resampling.tables import (
    RESAMPLING,
    RESAMPLING_IMPORTANCE,
    RESAMPLING_PREDICTION,
    RESAMPLING_ROLLOUTS,
    RESAMPLING_SENTENCES,
    RESAMPLING_STABILITY,
    RESAMPLING_SUMMARY,
)
from resampling.thought_sentences import Sentence, kept_after, sentences_of
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS
from truth.tables import TRUTH

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_resampling")


@dataclass(frozen=True)
class Settings:
    """Keys of the `resampling` section."""

    stable_share: float
    """Share of draws that do as the study's thought did at a stable boundary."""
    similarity: float
    """Cosine below which a sentence is unlike another."""
    seed: int


def forced_answers(
    trace: dict[str, Any], known: list[Sentence], points: pl.DataFrame
) -> dict[int, bool]:
    """Whether the trial answer is right, by the number of sentences before it.

    Args:
        trace: a row of `TRACES`.
        known: its sentences.
        points: its rows of `TRIAL_POINTS`.
    """
    right = dict(points.select("token", "correct").iter_rows())
    prompt = len(trace["prompt_ids"])
    places = {0: thought_tokens(trace)[0]}
    for one in known:
        kept = kept_after(trace, one.end)
        if kept is not None:
            places[one.number + 1] = prompt + kept
    return {k: right[token] for k, token in places.items() if token in right}


def sentence_table(
    rollouts: pl.DataFrame,
    traces: pl.DataFrame,
    events: pl.DataFrame,
    truth: pl.DataFrame,
    points: pl.DataFrame,
    settings: ImportanceSettings,
) -> pl.DataFrame:
    """`RESAMPLING_SENTENCES`.

    Args:
        rollouts: `RESAMPLING_ROLLOUTS`.
        traces: `TRACES`.
        events: `EVENTS`.
        truth: `TRUTH`.
        points: `TRIAL_POINTS`.
        settings: gate, seed and coverage.
    """
    if rollouts.is_empty():
        return RESAMPLING_SENTENCES.frame([])
    similarity = Similarity.of(study_sentences(traces))
    planted = None if truth.is_empty() else truth
    rows = []
    for (name,), own in rollouts.group_by("trace", maintain_order=True):
        (trace,) = traces.filter(trace=name).to_dicts()
        known = sentences_of(trace, events, planted)
        forced = forced_answers(trace, known, points.filter(trace=name))
        made = ThoughtRollouts(own)
        for one in known:
            row = sentence_row(trace, one, made, similarity, forced, settings)
            rows += [] if row is None else [row]
    return RESAMPLING_SENTENCES.frame(rows).sort(RESAMPLING_SENTENCES.sort)


def study_sentences(traces: pl.DataFrame) -> list[str]:
    """All sentences of the study's thoughts."""
    found = []
    columns = traces.select("text", "thought_start", "thought_stop")
    for row in columns.iter_rows(named=True):
        thought = row["text"][slice(*thought_span(row))]
        found += [thought[slice(*span)] for span in sentences(thought)]
    return found


def main(
    *,
    inputs: dict[str, Path],
    outputs: dict[str, Path],
    settings: Settings,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, summarise, write."""
    s = settings
    boundaries = RESAMPLING.read(inputs["resampling"])
    how = ImportanceSettings(s.similarity, s.seed, intervals.confidence)
    table = sentence_table(
        RESAMPLING_ROLLOUTS.read(inputs["rollouts"]),
        TRACES.read(inputs["traces"]),
        EVENTS.read(inputs["events"]),
        TRUTH.read(inputs["truth"]),
        TRIAL_POINTS.read(inputs["points"]),
        how,
    )
    logger.info("%d boundaries, %d sentences", boundaries.height, table.height)
    summary = summary_table(boundaries, s.stable_share, intervals)
    RESAMPLING_SENTENCES.write(table, outputs["sentences"])
    RESAMPLING_SUMMARY.write(summary, outputs["summary"])
    RESAMPLING_STABILITY.write(stability_table(boundaries), outputs["stability"])
    RESAMPLING_PREDICTION.write(
        prediction_table(boundaries, intervals, s.seed), outputs["prediction"]
    )
    RESAMPLING_IMPORTANCE.write(
        importance_table(table, intervals), outputs["importance"]
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            inputs={name: Path(path) for name, path in snakemake.input.items()},
            outputs={name: Path(path) for name, path in snakemake.output.items()},
            settings=Settings(**snakemake.params.settings),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
