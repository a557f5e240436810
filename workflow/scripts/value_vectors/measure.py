"""Which MLP units write along the probe's direction, for which words, to what effect?

The MLP of layer l adds to `resid[l + 1]`, so its value vectors are compared with the
probe's direction at boundary l + 1. Units of largest and of smallest cosine are listed
with the tokens that they write for and against, and with their activations at the
matched pairs that the probe was fitted to. Beside their cosines are those with
directions that the probe's fit gives on shuffled labels (each pair's are swapped or
kept at random). The activations are computed from the cache, by this MLP alone. Then,
at backtracks, the most extreme units are zeroed at the position, and the change of the
log-odds of the backtrack words is computed exactly. The same is done with random units
of the same layer that write as much.

Inputs
    traces, turns, words: the tables `traces`, `turns` and `turns/words`.
    events: its digest ties cache and directions to the study's events.
    matches: the table `matches`, whose pairs are the cases of the probe.
    index, caches: the activation cache of the study.
    probing, directions: where the probes are selective, and their directions.
    the model.

Outputs
    vectors, alignment, units, sets, interventions: the tables `value_vectors` and
        `value_vectors/...`; empty for a mixture of experts, and the run's note then
        says so.
    verification: cached activations and shared prefixes against full passes; the fast
        fits on shuffled labels.
    runs: one row.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from activations.reading import ActivationCache, Origin
from doubletake.model.checkpoint import Checkpoint
from doubletake.model.decoder import Decoder
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.value_vectors import SIDE_SIGNS
from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from matches.reading import cases_of
from matches.tables import MATCHES
from probing.reading import Directions, read_directions
from probing.tables import PROBING
from traces.tables import TRACES
from turns.reading import BACKTRACK, target_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors.alignment import alignment_row, alignments
from value_vectors.causal_check import check_backtracks
from value_vectors.check_plan import CausalCheckSettings
from value_vectors.mlp_units import LayerUnits, layer_units
from value_vectors.null_directions import FittedCases
from value_vectors.results import STAGE, Results
from value_vectors.set_tests import draws_needed
from value_vectors.table_rows import unit_rows, vector_rows

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_value_vectors")

MIXTURE_OF_EXPERTS = "skipped: mixture of experts"


@dataclass(frozen=True)
class Settings:
    """The `value_vectors` section of the config, budgets and intervals."""

    contrast: str
    """The contrast whose probe direction the vectors are compared with."""
    layers: list[int] | None
    """Layers whose MLPs are measured; None: where the probe is most selective."""
    best_layers: int
    """Number of layers where `layers` is None."""
    vectors: int
    """Number of listed vectors, on each side."""
    tokens: int
    """Number of listed tokens that a vector supports, and that it opposes."""
    checked_vectors: int
    """Number of vectors of each side that are zeroed together."""
    random_draws: int
    """Number of random sets and directions for each test that Holm counts."""
    checked_positions: int
    """Number of backtracks in the causal check."""
    seed: int
    """Seed of the draws of positions, random sets and shuffled labels."""
    verification: Verification
    """How many zeroings are computed again by a full pass."""
    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    intervals: IntervalSettings
    """Coverage of the intervals, and fewest problems with one."""

    @property
    def check(self) -> CausalCheckSettings:
        """The settings of the causal check."""
        return CausalCheckSettings(
            checked_vectors=self.checked_vectors,
            random_draws=self.random_draws,
            checked_positions=self.checked_positions,
            seed=self.seed,
            batch_memory=self.batch_memory,
            verification=self.verification,
        )


def chosen_layers(
    probing: pl.DataFrame, settings: Settings, n_layers: int
) -> list[int]:
    """The layers whose MLPs are measured, ascending.

    Where the config names no layers: the layers before the boundaries of highest
    selectivity. Of boundaries with equal selectivity the later one is taken, because
    the stream holds the output of more layers there.

    Args:
        probing: the table `probing`.
        settings: contrast, layers or their number.
        n_layers: layers of the model.

    Raises:
        InputError: the config names a layer that the model does not have.
    """
    if settings.layers is not None:
        beyond = [layer for layer in settings.layers if layer >= n_layers]
        if beyond:
            raise InputError(
                f"value_vectors.layers: {beyond[0]} is beyond the model's last layer "
                f"{n_layers - 1}"
            )
        return sorted(settings.layers)
    # ASSUME: the MLPs that matter write to the boundaries of highest selectivity.
    after_a_layer = probing.filter(pl.col("boundary") > 0, contrast=settings.contrast)
    best = after_a_layer.sort("selectivity", "boundary", descending=True)
    boundaries = best["boundary"].head(settings.best_layers)
    return sorted(boundary - 1 for boundary in boundaries)


def why_skipped(
    model: ModelSettings, directions: Directions, contrast: str
) -> str | None:
    """Why there is nothing to compute; None where there is something to compute."""
    if Checkpoint(model).layout.mlp_down is None:
        return MIXTURE_OF_EXPERTS
    if contrast not in directions.vectors:
        return f"skipped: no probe of {CONTRAST_BY_NAME[contrast].description}"
    return None


def skipped_run(reason: str, model: ModelSettings) -> pl.DataFrame:
    """One row of the table `runs` of a stage that computed nothing."""
    row = {"stage": STAGE, "shard": ONE_SHARD, "traces": 0, "tokens": 0, "seconds": 0.0}
    row |= {"device": "none", "dtype": model.dtype, "note": reason}
    return RUNS.frame([row])


@dataclass(frozen=True)
class Layers:
    """Measures the units of layers."""

    decoder: Decoder
    tokenizer: TraceTokenizer
    cache: ActivationCache
    backtracks: pl.DataFrame
    """The selected backtracks."""
    cases: pl.DataFrame
    """Members of the pairs of the contrast."""
    probing: pl.DataFrame
    """The table `probing`."""
    settings: Settings

    def measure(
        self,
        layer: int,
        direction: np.ndarray,
        draws: int,
        results: Results,
    ) -> LayerUnits:
        """Add the units of a layer to the results, and return them.

        Args:
            layer: 0 ... n_layers - 1.
            direction: [d_model], of the probe at boundary `layer` + 1.
            draws: number of directions of shuffled labels.
            results: of all layers.
        """
        settings = self.settings
        count = max(settings.vectors, settings.checked_vectors)
        units, vectors = layer_units(
            self.decoder,
            layer,
            direction,
            self.cache,
            self.backtracks,
            self.cases,
            count,
        )
        fitted = FittedCases.read(self.cache, self.cases, self.probing, layer + 1)
        rng = array_generator(settings.seed, 3 * layer + 2)
        null = fitted.null_directions(draws, rng)
        probe = direction[None] / np.linalg.norm(direction)
        found = alignments(
            vectors,
            np.concatenate([probe, null.vectors]),
            listed=settings.vectors,
            checked=settings.checked_vectors,
        )
        results.vectors += vector_rows(
            units,
            vectors,
            found,
            self.cases,
            Lens.of(self.decoder),
            self.tokenizer,
            count=settings.vectors,
            tokens=settings.tokens,
            intervals=settings.intervals,
        )
        results.alignment += [alignment_row(layer, side, found[side]) for side in found]
        results.units.append(unit_rows(units, self.cases))
        results.null_error.add(null.error, null.verified)
        return units


def main(
    *,
    traces_path: Path,
    events_path: Path,
    matches_path: Path,
    turns_path: Path,
    words_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    probing_path: Path,
    directions_path: Path,
    table_paths: dict[str, Path],
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the cache and the directions, list the units, check them, write."""
    origin, contrast = Origin.of(model, events_path), settings.contrast
    directions = read_directions(directions_path, asdict(origin))
    skipped, results = why_skipped(model, directions, contrast), Results()
    if skipped is not None:
        logger.warning("%s", skipped)
        results.write(table_paths, model.dtype, skipped_run(skipped, model))
        return
    cache = ActivationCache(index_path, cache_paths, origin)
    backtracks = TURNS.read(turns_path).filter("selected", kind=BACKTRACK)
    matches, probing = MATCHES.read(matches_path), PROBING.read(probing_path)
    cases = cases_of(CONTRAST_BY_NAME[contrast], matches, cache.index)
    chosen = chosen_layers(probing, settings, cache.n_layers)
    draws = draws_needed(settings.random_draws, len(chosen) * len(SIDE_SIGNS))
    decoder = load_decoder(model)
    layers = Layers(
        decoder, load_tokenizer(model), cache, backtracks, cases, probing, settings
    )
    units = []
    for layer in chosen:
        direction = directions.vectors[contrast][layer + 1]
        units.append(layers.measure(layer, direction, draws, results))
    traces = TRACES.read(traces_path)
    tokens = {
        trace: prompt + completion
        for trace, prompt, completion in traces.select(
            "trace", "prompt_ids", "completion_ids"
        ).iter_rows()
    }
    words = target_ids(TURN_WORDS.read(words_path))[BACKTRACK]
    results.check, progress = check_backtracks(
        decoder, units, backtracks, tokens, words, settings.check
    )
    run = run_row(STAGE, ONE_SHARD, progress, decoder, progress.items, "")
    results.write(table_paths, model.dtype, run)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.input.matches),
            turns_path=Path(snakemake.input.turns),
            words_path=Path(snakemake.input.words),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            probing_path=Path(snakemake.input.probing),
            directions_path=Path(snakemake.input.directions),
            table_paths={name: Path(path) for name, path in snakemake.output.items()},
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **with_verification(snakemake.params.settings),
                batch_memory=snakemake.params.batch_memory,
                intervals=IntervalSettings(**snakemake.params.intervals),
            ),
        )
