"""Which MLP units write along the probe's direction, for which words, to what effect?

The MLP of layer l adds to `resid[l + 1]`, so its value vectors are compared with the
probe's direction at boundary l + 1. Units of largest and of smallest cosine are listed
with the tokens that they write for and against, and with their activations. The
activations are computed from the cache, by this MLP alone. Then, at backtracks, the
activations of the most extreme units are scaled at the position, and the change of the
next token's logits is computed exactly. The same is done with random units of the same
layer, which have similar |activation| times norm there.

Inputs
    traces, turns, words: the tables `traces`, `turns` and `turns/words`.
    events: its digest ties cache and directions to the study's events.
    index, caches: the activation cache of the study.
    probing, directions: where the probes are selective, and their directions.
    the model.

Outputs
    vectors, units, interventions: the tables `value_vectors`, `value_vectors/units` and
        `value_vectors/interventions`; empty for a mixture of experts, and the run's
        note then says so.
    verification: cached activations and shared prefixes against full passes.
    runs: one row.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from activations.reading import ActivationCache, Origin
from doubletake.model.checkpoint import Checkpoint
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from doubletake.stats.intervals import Resampling
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from probing.reading import Directions, read_directions
from probing.tables import PROBING
from traces.tables import TRACES
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors.causal_check import STAGE, CheckResults, check_backtracks
from value_vectors.mlp_units import layer_units
from value_vectors.scaling_plan import CausalCheckSettings
from value_vectors.table_rows import unit_rows, vector_rows
from value_vectors.tables import (
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_value_vectors")

MIXTURE_OF_EXPERTS = "skipped: mixture of experts"


@dataclass(frozen=True)
class Settings:
    """The `value_vectors` section of the config, budgets and resampling."""

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
    """Number of vectors of each side that are scaled together."""
    factors: list[float]
    """Factors by which their activations are multiplied."""
    random_draws: int
    """Number of draws of random vectors."""
    checked_positions: int
    """Number of backtracks in the causal check."""
    seed: int
    """Seed of the draw of positions and random vectors."""
    verification: Verification
    """How many scalings are computed again by a full pass."""
    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    resampling: Resampling
    """Coverage of the intervals, and fewest problems with one."""

    @property
    def check(self) -> CausalCheckSettings:
        """The settings of the causal check."""
        return CausalCheckSettings(
            checked_vectors=self.checked_vectors,
            factors=tuple(self.factors),
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


def write(
    paths: dict[str, Path],
    vectors: list[dict[str, Any]],
    units: list[pl.DataFrame],
    results: CheckResults,
    dtype: str,
    run: pl.DataFrame,
) -> None:
    """Write all tables, by their names in `paths`."""
    all_units = pl.concat([VALUE_VECTOR_UNITS.schema.to_frame(), *units])
    interventions = VALUE_VECTOR_INTERVENTIONS.frame(results.interventions)
    VALUE_VECTOR_UNITS.write(all_units, paths["units"])
    VALUE_VECTOR_INTERVENTIONS.write(interventions, paths["interventions"])
    VERIFICATION.write(results.verification(dtype), paths["verification"])
    RUNS.write(run, paths["runs"])
    VALUE_VECTORS.write(VALUE_VECTORS.frame(vectors), paths["vectors"])


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


def main(
    *,
    traces_path: Path,
    events_path: Path,
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
    origin = Origin.of(model, events_path)
    directions = read_directions(directions_path, asdict(origin))
    skipped = why_skipped(model, directions, settings.contrast)
    if skipped is not None:
        logger.warning("%s", skipped)
        run = skipped_run(skipped, model)
        write(table_paths, [], [], CheckResults(), model.dtype, run)
        return
    cache = ActivationCache(index_path, cache_paths, origin)
    turns = TURNS.read(turns_path).filter("selected")
    layers = chosen_layers(PROBING.read(probing_path), settings, cache.n_layers)
    decoder, tokenizer = load_decoder(model), load_tokenizer(model)
    lens = Lens.of(decoder)
    layers_units, rows = [], []
    count = max(settings.vectors, settings.checked_vectors)
    for layer in layers:
        direction = directions.vectors[settings.contrast][layer + 1]
        units, vectors = layer_units(decoder, layer, direction, cache, turns, count)
        rows += vector_rows(
            units,
            vectors,
            turns,
            lens,
            tokenizer,
            count=settings.vectors,
            tokens=settings.tokens,
            resampling=settings.resampling,
        )
        layers_units.append(units)
    traces = TRACES.read(traces_path)
    tokens = {
        trace: prompt + completion
        for trace, prompt, completion in traces.select(
            "trace", "prompt_ids", "completion_ids"
        ).iter_rows()
    }
    token_ids = target_ids(TURN_WORDS.read(words_path))
    results, progress = check_backtracks(
        decoder, layers_units, turns, tokens, token_ids, settings.check
    )
    run = run_row(STAGE, ONE_SHARD, progress, decoder, progress.items, "")
    unit_tables = [unit_rows(units, turns) for units in layers_units]
    write(table_paths, rows, unit_tables, results, model.dtype, run)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
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
                resampling=Resampling(**snakemake.params.resampling),
            ),
        )
